// Whether a certificate may be revoked at its CA now. Pure: no clock, no log, no I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/decision.h"
#include "certmgr/core/issued_certificate.h"

namespace certmgr {

enum class AcmeRevocationState {
    due,       // it waits for its replacement or for an answer of the CA
    done,      // the CA says so
    obsolete,  // the certificate ended first
    refused,   // by the CA, for good
};
std::string_view toString(AcmeRevocationState state) noexcept;
std::optional<AcmeRevocationState> acmeRevocationStateFrom(std::string_view text) noexcept;

// What a CA takes of a subscriber: privilegeWithdrawn is its own to say.
bool mayBeAskedOfCa(RevocationReason reason) noexcept;

struct AcmeRevocationFacts {
    TimePoint notAfter;
    RevocationReason reason = RevocationReason::unspecified;
    bool atOnce = false;   // the administrator wants no service to be waited for
    bool inForce = false;  // a certificate with this key is in force
    // Services that have not been proved to serve another key, by what was seen of them last.
    std::vector<std::string> servedBy;  // they serve this key, or are about to be brought another
    std::vector<std::string> unseenAt;  // they do not run, or were never proved
    AttemptRecord attempts;
    bool clockTrusted = true;
};

struct AcmeRevocationStep {
    enum class Kind { wait, revoke, giveUp } kind = Kind::wait;
    std::string reason;                  // a sentence; empty with revoke
    std::optional<TimePoint> lookAgain;  // with wait, when time alone changes it
};

// A certificate that serves is replaced first, whatever the reason: no client is to meet a revoked one. Who
// has a compromised key is not to gain time by a service that is off or broken: it is waited for only where
// clients were seen to meet it. One that has ended is not worth a revocation.
AcmeRevocationStep nextStep(const AcmeRevocationFacts& facts, TimePoint now);

}  // namespace certmgr
