// The records of dns-persist-01: which ones are wanted, and whether they stay.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/acme/persist_lookup.h"
#include "certmgr/core/clock.h"
#include "certmgr/engine/acme_cas.h"
#include "certmgr/engine/acme_commands.h"

namespace certmgr::engine {

// A record of dns-persist-01 that somebody asks for.
struct PersistWish {
    Identifier name;  // a wildcard: for the names below it too
    std::string ca;   // empty: every one that has an account
    std::optional<TimePoint> until;
};

// Thread-safe.
class PersistProofs {
  public:
    PersistProofs(Records& records, const Clock& clock, AcmeCas& cas, const acme::PersistLookup& lookup)
        : records_(records), clock_(clock), cas_(cas), lookup_(lookup) {}

    // For each CA, those for tests that have an account among them. Error(rejected, "no-such-ca").
    std::vector<PersistRecordEntry> wanted(const PersistWish& wish, seconds limit,
                                           const std::stop_token& stop);
    // Looks again at those that proved the certificate, and puts down what it finds and when to look next.
    void lookAgain(const CertificateId& id, const std::stop_token& stop);

  private:
    // Takes in what is there now; false: nobody tells.
    bool look(store::PersistRow& row, const acme::CaSettings& ca);
    PersistRecordEntry wantedAt(const acme::CaSettings& ca, const PersistWish& wish,
                                const std::stop_token& stop);

    Records& records_;
    const Clock& clock_;
    AcmeCas& cas_;
    const acme::PersistLookup& lookup_;
};

}  // namespace certmgr::engine
