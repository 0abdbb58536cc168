// What the bus may ask of the CAs on the net. Called on the main thread; nothing here blocks.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "certmgr/core/ca_pause.h"
#include "certmgr/core/certificate.h"
#include "certmgr/core/clock.h"
#include "certmgr/core/error.h"
#include "certmgr/core/preflight.h"
#include "certmgr/core/rate_budget.h"

namespace certmgr::engine {

// A CA of the settings, and the account there.
struct AcmeAccount {
    std::string ca;         // its name
    std::string directory;  // URL
    bool forTests = false;
    std::string url;                    // of the account; empty: none yet
    std::string externalKey;            // id of the key that bound it to an account elsewhere; empty: none
    std::vector<std::string> contacts;  // of the settings
    std::string terms;        // URL of what the CA asks to agree to; empty: nothing, or not known yet
    std::string termsAgreed;  // URL of what was agreed to last
    std::optional<TimePoint> termsAgreedAt;
    bool operator==(const AcmeAccount&) const = default;
};

struct CaRevocationCommand {
    std::string reason;  // "key-compromise"; may be empty with atOnce where one is due, which keeps its own
    std::string serial;  // of one that was in force before; empty: the one in force
    bool dryRun = false;
    bool atOnce = false;  // wait for no service; without a serial, what is due already is meant
};

// What one check of a preflight by hand found.
struct PreflightEntry {
    std::string name;
    std::string ca;  // empty: the same at each of them
    PreflightFinding finding;
    bool operator==(const PreflightEntry&) const = default;
};
// Either all that was found, by name, or what was wrong.
struct Preflight {
    std::vector<PreflightEntry> entries;
    std::optional<Error> failure;
};
using PreflightReply = std::function<void(const Preflight&)>;

// A bucket of a CA that is in use, or will be.
struct BudgetEntry {
    BucketId bucket;
    RateLimit limit;
    int used = 0;
    std::optional<TimePoint> next;  // when one more is allowed that is no emergency; absent: now
    BucketForecast forecast;
    bool operator==(const BudgetEntry&) const = default;
};
struct CaBudget {
    std::string ca;
    bool forTests = false;
    bool limitsKnown = false;
    TimePoint forecastUntil;  // orders that come later are not looked at
    std::vector<BudgetEntry> entries;
    std::vector<CaPause> pauses;  // that are not over
    bool operator==(const CaBudget&) const = default;
};
// Either that of each CA, in the order in which they are asked, or what was wrong.
struct Budgets {
    std::vector<CaBudget> cas;
    std::optional<Error> failure;
};
using BudgetReply = std::function<void(const Budgets&)>;
// For what a record of dns-persist-01 is wanted.
struct PersistRecordCommand {
    std::string name;  // a DNS name, also a wildcard
    std::string ca;    // its name; empty: every one that has an account
    bool wildcard = false;
    std::optional<TimePoint> until;  // when it is to end; absent: never
};
struct PersistRecordEntry {
    std::string ca;
    bool forTests = false;
    std::string account;   // its URL; empty: there is none
    std::string owner;     // of the record: "_validation-persist.gw.example"
    std::string record;    // its text; empty: it cannot be made
    std::string line;      // the same for a zone file
    bool there = false;    // one that fits is there already
    std::string sentence;  // what is there, or why there can be none
    bool operator==(const PersistRecordEntry&) const = default;
};
struct PersistRecords {
    std::vector<PersistRecordEntry> entries;
    std::optional<Error> failure;
};
using PersistRecordsReply = std::function<void(const PersistRecords&)>;

// Implementations: Engine and the bus tests' fake. As in Commands.
class AcmeCommands {
  public:
    virtual ~AcmeCommands() = default;

    // In the order in which they are asked. Reads the database, asks no CA.
    virtual std::vector<AcmeAccount> accounts() = 0;

    // What is used of the limits, and what the orders to come will use, as far as they are known. Reads the
    // database on a worker, asks no CA. Error "busy" where too many are asking.
    virtual void budget(BudgetReply reply) = 0;

    // Of the account at a CA, by its name: a job, as in Commands, that begins when no order is under way.
    virtual std::string changeAccountKey(const std::string& ca) = 0;
    virtual std::string deactivateAccount(const std::string& ca) = 0;
    // Looks at names, configured or not, as before an order; no CA is asked, and nothing changes. Error
    // "busy" where too many are asking. The reply comes within `longestPreflight`.
    virtual void preflight(const std::vector<std::string>& names, PreflightReply reply) = 0;
    static constexpr std::chrono::seconds longestPreflight{60};
    // The records that prove a name for ever, and which of them are there. A CA is asked at most for its
    // directory. Errors: "bad-name", "bad-time", "no-such-ca", and as for a preflight.
    virtual void persistRecords(const PersistRecordCommand& command, PersistRecordsReply reply) = 0;

    // Of what is in force, once another with a new key is proved at every service; for a compromised key, at
    // those that were seen to serve it. The job fails with "revocation-due" where that takes longer; it goes
    // on by itself.
    virtual std::string revokeAtCa(const CertificateId& id, const CaRevocationCommand& command) = 0;
};

}  // namespace certmgr::engine
