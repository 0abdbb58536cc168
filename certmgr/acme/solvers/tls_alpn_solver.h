// tls-alpn-01 (RFC 8737) by files that certmgr-tls-responder makes certificates of.
#pragma once

#include <cstdint>
#include <filesystem>

#include "certmgr/acme/solver.h"

namespace certmgr::acme {

// Two orders at once for one name: the later one is answered, the other one fails and comes again.
class TlsAlpnSolver : public Solver {
  public:
    // The directory must exist. `port`: of loopback, where a CA's questions arrive; 0: not known. `outside`:
    // where a CA asks, for as long as it may; null: nothing is in its way.
    explicit TlsAlpnSolver(std::filesystem::path directory, std::uint16_t port = 0,
                           SharedPort* outside = nullptr);

    ChallengeKind kind() const override { return ChallengeKind::tlsAlpn01; }
    std::string whyNot(const Identifier&, const Asking&) const override { return ""; }
    void present(const Proof& proof) override;
    void remove(const Proof& proof) noexcept override;
    int clearAway() override;
    SharedPort::Lease openPort() override { return outside_ ? outside_->open() : nullptr; }
    std::uint16_t port() const override { return port_; }
    PortAnswer answerAt(const Identifier& identifier, const std::string& address) override;
    std::optional<Missing> missing(const Proof& proof) const override;
    std::chrono::seconds patience() const override { return std::chrono::seconds(10); }

  private:
    PortAnswer answerFor(const Proof& proof, const std::string& address) const;
    std::filesystem::path fileOf(const Identifier& identifier) const;

    const std::filesystem::path directory_;
    const std::uint16_t port_;
    SharedPort* const outside_;
};

// What a CA sends as server name: the name, or that of the address in DNS (RFC 8738 6).
std::string serverNameFor(const Identifier& identifier);

}  // namespace certmgr::acme
