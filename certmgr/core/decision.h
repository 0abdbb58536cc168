// What to do next for one certificate, and why. Pure: no clock, no log, no I/O.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "certmgr/core/certificate.h"
#include "certmgr/core/issued_certificate.h"

namespace certmgr {

// The failures of ACME for one certificate, as stored.
struct AttemptRecord {
    int failures = 0;                      // in a row; 0 after a success or a manual retry
    std::optional<TimePoint> nextAttempt;  // not before this time, jitter included
};

// Where the key of a certificate lies, for the services that use it.
enum class KeyPlace {
    good,
    wrongForSome,  // in the TPM, and a service reads it from a file; others use it by a reference
    wrongForAll,   // in the TPM, and every service reads it from a file
};

struct DueRevocation {
    RevocationReason reason;
    TimePoint asked;
};

struct CertificateFacts {
    CertificateSpec spec;
    std::optional<Credential> uploaded;  // the best uploaded chain that covers all names and has its key
    std::string uploadedReason;          // why that one; see chooseUpload()
    std::optional<Credential> current;   // the credential in force (newest that was not withdrawn)
    std::string acmeImpossible;  // why: "switched off", "no CA configured", whyNotPublic(); empty: possible
    AttemptRecord acme;
    std::optional<TimePoint> renewAt;  // chosen in the window that the CA of `current` suggests
    std::string orderFrom = "the CA";  // for people: which one is asked next, and why not the first
    std::string issuingAuthority;      // id of the authority that signs such a local certificate now
    bool currentKeyLost = false;       // the key store no longer has the key of `current`
    KeyPlace currentKeyPlace = KeyPlace::good;
    bool reissue = false;                     // an administrator asked for it
    std::optional<DueRevocation> revocation;  // for which `current` waits at its CA
    bool clockTrusted = true;
};

enum class Action { none, useUploaded, issueLocal, orderAcme };
std::string_view toString(Action action) noexcept;

struct Decision {
    Action action = Action::none;
    std::string reason;                  // a sentence, shown to people
    std::optional<TimePoint> lookAgain;  // when the facts change by time alone. Absent: never
    std::int64_t replaces = 0;           // with issueLocal: the generation that is of no more use; 0: none
};

// features.md 2 and 3. A working certificate is never given up for a worse one. In order:
// - A valid uploaded chain, up to an hour before its end (never before its last stretch): time to deploy
// another. In its last stretch (see lastStretch()) ACME is asked, and what comes takes over at once; a local
// certificate only at the end.
// - Where nothing that works is in force, a local certificate at once.
// - A local one whose authority, key algorithm or place of the key is not the wanted one any more: a new
// local one, which costs no time.
// - One that is to be revoked is replaced by ACME; where that is impossible, and where a compromised key is
// the reason and the first attempt has failed, has to wait or has come to nothing in ten minutes, by a local
// one.
// - Where the current one is local, is due, or shall be reissued: ACME, if possible and not before its next
// attempt.
// - Whatever is in force and cannot be had anew from ACME in time: a local one, by renewalTime() where the
// current one is local, and not before the last stretch (see lastStretch()) where it is ACME's.
// An inspection CA is always local: no CA and no upload gives one.
// A reissue that was asked for is done by ACME where that is possible, else locally where the certificate in
// force is local; any other stays, with the reason. The caller withdraws `reissue` when a new credential is
// in force, or nothing is to be done. On an untrusted clock nothing counts as expired or due, and only where
// nothing is there something is done; lookAgain is then a minute away, since trust may come without a jump of
// the clock.
Decision decide(const CertificateFacts& facts, TimePoint now);

// Below 10 days: 160 hours with Let's Encrypt's profile "shortlived".
bool isShortLived(const CertificateSummary& leaf);

// When a certificate that could not be renewed is given up for a local one: 1/40 of the lifetime before its
// end, at most a day. Always after latestRenewal(), by so much that a CA which is away for a moment is asked
// again before a working certificate is given up.
TimePoint lastStretch(const CertificateSummary& leaf);

// acme-facts.md: 1/3 of the lifetime before the end, 1/2 for lifetimes below 10 days. The credential's own
// spread (up to 1/50 of the lifetime earlier, derived from its fingerprint) keeps a thousand leaves from
// being due in the same second.
TimePoint renewalTime(const CertificateSummary& leaf);

// When a certificate is renewed whatever its CA suggests: acme-facts.md has 1/20 of the lifetime before the
// end. Of a short-lived one that is too little: of 160 hours it leaves eight, and a CA may suggest the last
// hour. So these have 1/5, 32 hours, of which 28 are before the last stretch: from nextAttempt() the attempts
// after 1, 10 and 100 minutes, and ten more. Of 10 days, the shortest lifetime with 1/20, the first three of
// these fit, of 90 days another two.
TimePoint latestRenewal(const CertificateSummary& leaf);

// When a certificate of a CA is renewed: at the time chosen in the window that it suggests (RFC 9773), else
// by renewalTime(). No later than latestRenewal(), whatever the CA suggests.
TimePoint acmeRenewalTime(const CertificateSummary& leaf, std::optional<TimePoint> renewAt);

// acme-facts.md "Retries": 1 min, 10 min, 100 min, then daily; with `shortLivedRemaining` (lifetimes below 10
// days) at most an eighth of that, but not under 15 min because of it: a CA allows 5 failures an hour.
// `failures`: this one included. `jitter` in [0,1) stretches the delay by up to a quarter. Never on a round
// minute. `notBefore` (Retry-After) wins if later, up to a week, the longest window of the public CAs.
TimePoint nextAttempt(int failures, TimePoint now, std::optional<seconds> shortLivedRemaining, double jitter,
                      std::optional<TimePoint> notBefore);

// The next attempt, as far as what is stored of it can be believed; absent: it is due. A clock that was ahead
// has stored what is beyond the longest wait of nextAttempt(), and what follows a last attempt that is still
// to come. A CA that has said how long to wait is not asked earlier by that: its pause holds, see endOf().
std::optional<TimePoint> believedAttempt(std::optional<TimePoint> stored,
                                         std::optional<TimePoint> lastAttempt, TimePoint now);

// Which of several CAs, in order of preference, is asked after so many failures in a row: each gets two
// attempts, then the next one, and after the last the first again. So the first is asked after a success.
std::size_t caInTurn(int failures, std::size_t cas);
// Where its attempts are over.
int endOfTurn(int failures);

// Which of the uploaded chains of one certificate is to serve, and why that one, as a sentence; nothing where
// none covers all names and has not ended. Among several better() decides: of chains that last, the one
// issued later, for who replaces a stolen key before its time often brings one that ends earlier; issued at
// the same time, the one that ends later; else the one uploaded later.
struct UploadChoice {
    std::optional<Credential> credential;
    std::string reason;
};
UploadChoice chooseUpload(const std::vector<Identifier>& names, const std::vector<Credential>& uploads,
                          TimePoint now);

// Among credentials: does `candidate` deserve to replace `current`? What lasts beyond its last stretch goes
// before what does not, that before what is not valid; then uploaded before ACME before local; then the one
// that was issued later. Says nothing of names: the caller compares only what covers the same ones.
bool better(const Credential& candidate, const Credential& current, TimePoint now);

// Among a CA's: does what was ordered in the place of `current` take it, although it is not better()? Some
// CAs date a certificate from the beginning of the day, so that the one ordered later begins earlier. It does
// where it is as sound and will not be due at once: else one order would follow the other.
bool succeeds(const Credential& ordered, const Credential& current, TimePoint now);

}  // namespace certmgr
