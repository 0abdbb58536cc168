// A solver of any kind that proves nothing and remembers what it was asked for.
#pragma once

#include <vector>

#include "certmgr/acme/solver.h"

namespace testing_support {

class FakeSolver : public certmgr::acme::Solver {
  public:
    explicit FakeSolver(certmgr::ChallengeKind kind = certmgr::ChallengeKind::http01) : kind_(kind) {}

    certmgr::ChallengeKind kind() const override { return kind_; }
    std::string whyNot(const certmgr::Identifier&, const certmgr::acme::Asking& ca) const override {
        asked = ca;
        if (trouble) throw certmgr::Error(*trouble);
        return out;
    }
    void present(const certmgr::acme::Proof& proof) override {
        presented.push_back(proof);
        if (trouble) throw certmgr::Error(*trouble);
    }
    void remove(const certmgr::acme::Proof& proof) noexcept override { removed.push_back(proof); }
    int clearAway() override { return 0; }
    std::optional<Missing> missing(const certmgr::acme::Proof&) const override { return invisible; }
    std::chrono::seconds patience() const override { return std::chrono::seconds(0); }

    mutable certmgr::acme::Asking asked;    // of the last whyNot
    std::string out;                        // the answer to whyNot
    std::optional<certmgr::Error> trouble;  // thrown instead of an answer
    std::optional<Missing> invisible;
    std::vector<certmgr::acme::Proof> presented;
    std::vector<certmgr::acme::Proof> removed;

  private:
    const certmgr::ChallengeKind kind_;
};

}  // namespace testing_support
