// What to do next for one certificate, and why. Pure: no clock, no log, no I/O.
#pragma once

#include <optional>
#include <string>

#include "certmgr/core/certificate.h"

namespace certmgr {

// The failures of ACME for one certificate, as stored.
struct AttemptRecord {
    int failures = 0;                      // in a row; 0 after a success or a manual retry
    std::optional<TimePoint> nextAttempt;  // not before this time, jitter included
};

struct CertificateFacts {
    CertificateSpec spec;
    std::optional<Credential> uploaded;  // the best uploaded chain that covers all names and has its key
    std::optional<Credential> current;   // the credential in force (newest that was not withdrawn)
    std::string acmeImpossible;          // why no ACME: "switched off", "no CA configured", whyNotPublic(); empty: possible
    AttemptRecord acme;
    std::string issuingAuthority;        // id of the authority that signs local leaves now
    bool reissue = false;                // an administrator asked for it
    bool clockTrusted = true;
};

enum class Action { none, useUploaded, issueLocal, orderAcme };
std::string_view toString(Action action) noexcept;

struct Decision {
    Action action = Action::none;
    std::string reason;                // a sentence, shown to people
    std::optional<TimePoint> lookAgain;  // with none: when the facts change by time alone. Absent: never
};

// features.md 2 and 3. In order: a valid uploaded chain; where nothing valid is there, a local certificate at once; where
// the current one is local or is due, ACME (if possible, and not before its next attempt); a local one that is due anew.
// A working certificate is never given up for a worse one.
Decision decide(const CertificateFacts& facts, TimePoint now);

// acme-facts.md: 1/3 of the lifetime before the end, 1/2 for lifetimes below 10 days. The credential's own spread (up to
// 1/50 of the lifetime earlier, derived from its fingerprint) keeps a thousand leaves from being due in the same second.
TimePoint renewalTime(const CertificateSummary& leaf);

// acme-facts.md "Retries": 1 min, 10 min, 100 min, then daily; for lifetimes below 10 days min(24 h, remaining/8). `jitter`
// in [0,1) stretches the delay by up to a quarter. Never on a round minute. `notBefore` (Retry-After) wins if later.
TimePoint nextAttempt(int failures, TimePoint now, std::optional<seconds> shortLivedRemaining, double jitter,
                      std::optional<TimePoint> notBefore);

// Among credentials: does `candidate` deserve to replace `current`?
bool better(const Credential& candidate, const Credential& current, TimePoint now);

}  // namespace certmgr
