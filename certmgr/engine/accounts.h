// The accounts at the CAs: a key each, and what is on record of it.
#pragma once

#include "certmgr/acme/issue.h"
#include "certmgr/core/clock.h"
#include "certmgr/engine/acme_commands.h"
#include "certmgr/engine/key_ring.h"

namespace certmgr::engine {

// Thread-safe, but for two calls of open() for the same CA at once.
class Accounts {
  public:
    Accounts(KeyRing& keys, Records& records, const Clock& clock, EventLog& log)
        : keys_(keys), records_(records), clock_(clock), log_(log) {}

    // What a session needs of the account: its key, made where there was none, and its URL where it has one.
    // What the session learns goes on record.
    acme::AccountSettings open(const acme::CaSettings& ca);
    AcmeAccount view(const acme::CaSettings& ca);

    // The account there; Error(rejected, "no-account") where none is.
    store::AccountRow existing(const acme::CaSettings& ca);
    // A key that is to follow, made and on record.
    KeyId makeNextKey(const acme::CaSettings& ca);
    // The one of the two keys that the CA knows; the other is destroyed.
    void settleKey(const acme::CaSettings& ca, const KeyId& key);
    // The row with the key that was to follow, where it is not settled which of them the CA knows.
    std::optional<store::AccountRow> unsettled(const acme::CaSettings& ca);
    void forget(const acme::CaSettings& ca);

  private:
    KeyId makeKey(const acme::CaSettings& ca, const KeyId& id);
    store::AccountRow rowOf(const acme::CaSettings& ca);
    void registered(const acme::CaSettings& ca, const acme::Registration& registration);

    KeyRing& keys_;
    Records& records_;
    const Clock& clock_;
    EventLog& log_;
};

}  // namespace certmgr::engine
