// dns-persist-01 (draft-ietf-acme-dns-persist-01): the record that proves a name is the administrator's, and
// stays. Nothing is written here.
#pragma once

#include "certmgr/acme/solvers/dns_persist_lookup.h"

namespace certmgr::acme {

class DnsPersistSolver : public Solver {
  public:
    // `lookup` must outlive it.
    explicit DnsPersistSolver(const DnsPersistLookup& lookup) : lookup_(lookup) {}

    ChallengeKind kind() const override { return ChallengeKind::dnsPersist01; }
    // Says what is wrong with the record, and how to get the right one.
    std::string whyNot(const Identifier& identifier, const Asking& ca) const override;
    void present(const Proof&) override {}
    void remove(const Proof&) noexcept override {}
    int clearAway() override { return 0; }
    // Certain: a CA may ask any of the zone's servers.
    std::optional<Missing> missing(const Proof& proof) const override;
    std::chrono::seconds patience() const override { return std::chrono::seconds(60); }

  private:
    const DnsPersistLookup& lookup_;
};

}  // namespace certmgr::acme
