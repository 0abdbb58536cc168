// http-01 by files: what lies in the directory is served by certmgr-responder, or by the box's own proxy.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "certmgr/acme/solver.h"

namespace certmgr::acme {

// Thread-safe; several orders use it at once, each with tokens of its own.
class WebrootSolver : public Solver {
  public:
    // The directory must exist. `port`: of loopback, where what lies in it is served; 0: not known.
    // `outside`: where a CA asks, for as long as it may; null: nothing is in its way.
    explicit WebrootSolver(std::filesystem::path directory, std::uint16_t port = 0,
                           SharedPort* outside = nullptr);

    ChallengeKind kind() const override { return ChallengeKind::http01; }
    std::string whyNot(const Identifier&, const Asking&) const override { return ""; }
    void present(const Proof& proof) override;
    void remove(const Proof& proof) noexcept override;
    int clearAway() override;
    SharedPort::Lease openPort() override { return outside_ ? outside_->open() : nullptr; }
    std::uint16_t port() const override { return port_; }
    PortAnswer answerAt(const Identifier& identifier, const std::string& address) override;
    std::optional<Missing> missing(const Proof& proof) const override;
    std::chrono::seconds patience() const override { return std::chrono::seconds(10); }

    // Removes what a crash left behind: files of challenges that were written before `oldest`. Returns how
    // many.
    int purge(std::filesystem::file_time_type oldest) const;

  private:
    PortAnswer answerFor(const Proof& proof, const std::string& address) const;

    const std::filesystem::path directory_;
    const std::uint16_t port_;
    SharedPort* const outside_;
};

}  // namespace certmgr::acme
