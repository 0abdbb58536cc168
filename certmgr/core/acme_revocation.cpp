#include "certmgr/core/acme_revocation.h"

#include "hal/words.h"

namespace certmgr {
namespace {

constexpr hal::Words<AcmeRevocationState, 4> acmeRevocationStates{
    {{AcmeRevocationState::due, "due"},
     {AcmeRevocationState::done, "done"},
     {AcmeRevocationState::obsolete, "obsolete"},
     {AcmeRevocationState::refused, "refused"}}};

std::string awaitedServices(const AcmeRevocationFacts& facts) {
    if (facts.atOnce) return "";
    std::vector<std::string> awaited = facts.servedBy;
    if (facts.reason != RevocationReason::keyCompromise)
        awaited.insert(awaited.end(), facts.unseenAt.begin(), facts.unseenAt.end());
    std::string list;
    for (const std::string& service : awaited) list += (list.empty() ? "" : ", ") + service;
    return list;
}

}  // namespace

std::string_view toString(AcmeRevocationState state) noexcept {
    return hal::wordOf(acmeRevocationStates, state);
}

std::optional<AcmeRevocationState> acmeRevocationStateFrom(std::string_view text) noexcept {
    return hal::valueNamed(acmeRevocationStates, text);
}

bool mayBeAskedOfCa(RevocationReason reason) noexcept {
    return reason != RevocationReason::privilegeWithdrawn;
}

AcmeRevocationStep nextStep(const AcmeRevocationFacts& facts, TimePoint now) {
    if (facts.clockTrusted && now >= facts.notAfter)
        return {AcmeRevocationStep::Kind::giveUp, "it expired before it was revoked", std::nullopt};
    const auto waitFor = [&](std::string reason) -> AcmeRevocationStep {
        return {AcmeRevocationStep::Kind::wait, std::move(reason),
                now < facts.notAfter ? std::optional(facts.notAfter) : std::nullopt};
    };
    if (facts.inForce) return waitFor("waits for another certificate to be in force");
    if (const std::string services = awaitedServices(facts); !services.empty())
        return waitFor("waits until another certificate is proved at " + services);
    std::optional<TimePoint> next = facts.attempts.nextAttempt;
    // To a clock that is behind, as before it is set, every time is far ahead.
    if (facts.clockTrusted) next = believedAttempt(next, std::nullopt, now);
    if (next && now < *next) return {AcmeRevocationStep::Kind::wait, "waits for the next attempt", next};
    return {AcmeRevocationStep::Kind::revoke, "", std::nullopt};
}

}  // namespace certmgr
