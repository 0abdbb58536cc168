#include "certmgr/acme/preflight.h"

#include <algorithm>
#include <optional>

#include "certmgr/acme/choice.h"
#include "certmgr/net/name_lookup.h"

namespace certmgr::acme {
namespace {

using std::chrono::milliseconds;
using LookType = net::NameLookup::Question::Type;

constexpr milliseconds longestLookAhead{5000};

PreflightFinding uncertain(PreflightCheck check, std::string words) {
    return {check, PreflightVerdict::uncertain, std::move(words)};
}

PreflightFinding blocked(PreflightCheck check, std::string words) {
    return {check, PreflightVerdict::blocked, std::move(words)};
}

PreflightFinding addressFindingOf(const Identifier& name, const net::Lookup& ip4, const net::Lookup& ip6,
                                  const PreflightSettings& settings) {
    const auto has = [&](net::LookupOutcome outcome) {
        return ip4.outcome == outcome || ip6.outcome == outcome;
    };
    if (has(net::LookupOutcome::unreachable))
        return uncertain(PreflightCheck::address,
                         "the resolver gave no answer for the addresses of " + name.value);
    if (has(net::LookupOutcome::failed))
        return blocked(PreflightCheck::address,
                       "the name servers of " + name.value +
                           " fail (SERVFAIL), and would fail a CA too: see that they "
                           "answer, and DNSSEC where the zone is signed");
    std::vector<std::string> addresses = ip4.values;
    addresses.insert(addresses.end(), ip6.values.begin(), ip6.values.end());
    const OwnAddresses own{net::interfaceAddresses(), settings.publicAddresses};
    return judgeAddresses(name, judged(addresses, own), own, settings.publicOnly);
}

std::string identitiesOf(const CaaQuestion& ca) {
    std::string list;
    for (const std::string& identity : ca.identities) list += (list.empty() ? "" : ", ") + identity;
    return list.empty() ? "that of the CA" : list;
}

// RFC 8659 3: the nearest name that has records counts. One that fails forbids: its records cannot be known.
PreflightFinding caaFindingOf(const std::vector<std::string>& names, const std::vector<net::Lookup>& found,
                              const CaaQuestion& ca) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string at = "the CAA records of " + names[i];
        if (found[i].outcome == net::LookupOutcome::unreachable)
            return uncertain(PreflightCheck::caa, "the resolver gave no answer for " + at);
        if (found[i].outcome == net::LookupOutcome::failed)
            return blocked(PreflightCheck::caa,
                           at + " cannot be looked up (SERVFAIL), and no CA issues where "
                                "it cannot: see that the name servers answer for type CAA");
        if (found[i].caa.empty()) continue;
        const CaaAnswer answer = judgeCaa(found[i].caa, ca);
        if (answer.verdict == CaaVerdict::allowed)
            return {PreflightCheck::caa, PreflightVerdict::ok, at + " allow the CA"};
        if (answer.verdict == CaaVerdict::unknown)
            return uncertain(PreflightCheck::caa, at + " " + answer.why);
        return blocked(PreflightCheck::caa, at + " " + answer.why + ": add one that allows " +
                                                identitiesOf(ca) + ", or ask another CA");
    }
    return {PreflightCheck::caa, PreflightVerdict::ok,
            "no CAA record restricts who may issue for " + names.front()};
}

}  // namespace

std::vector<PreflightFinding> lookAhead(const Identifier& name, CaaQuestion ca,
                                        const PreflightSettings& settings, milliseconds limit) {
    ca.wildcard = name.wildcard();
    const bool byAddress = ca.challenge == ChallengeKind::http01 || ca.challenge == ChallengeKind::tlsAlpn01;
    if (name.type == Identifier::Type::ip) {
        const OwnAddresses own{net::interfaceAddresses(), settings.publicAddresses};
        return {judgeAddresses(name, judged({name.value}, own), own, settings.publicOnly)};
    }
    const std::vector<std::string> above = caaNames(name);
    std::vector<net::NameLookup::Question> questions;
    for (const std::string& each : above) questions.push_back({LookType::caa, each});
    if (byAddress)
        for (const LookType type : {LookType::a, LookType::aaaa}) questions.push_back({type, name.value});
    const std::vector<net::Lookup> found = net::NameLookup(settings.resolver).ask(questions, limit);
    std::vector<PreflightFinding> findings;
    if (byAddress)
        findings.push_back(addressFindingOf(name, found[above.size()], found[above.size() + 1], settings));
    findings.push_back(caaFindingOf(above, found, ca));
    return findings;
}

std::vector<std::string> caaIdentitiesOf(Session& session) {
    return session.impl().caaIdentities();
}

void requireClear(Session::Impl& session, const std::vector<Identifier>& names, const Solvers& solvers,
                  const PreflightSettings& settings, const std::stop_token& stop) {
    using Clock = std::chrono::steady_clock;
    session.directory(stop);
    const CaaQuestion ofCa{session.caaIdentities(), false, ChallengeKind::http01, session.accountUrl(stop)};
    const Clock::time_point end = Clock::now() + longestLookAhead;
    std::string code;
    std::string words;
    for (const Identifier& name : names) {
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
        const std::optional<ChallengeKind> kind = kindInTurn(name, solvers);
        if (!kind || left.count() <= 0) continue;
        CaaQuestion ca = ofCa;
        ca.challenge = *kind;
        for (const PreflightFinding& finding : lookAhead(name, ca, settings, left)) {
            if (finding.verdict != PreflightVerdict::blocked) continue;
            if (code.empty()) code = preflightCode + std::string(toString(finding.check));
            words += (words.empty() ? "" : "; ") + finding.words;
        }
    }
    if (!code.empty())
        throw Error(ErrorKind::rejected, code, "no order was placed, the CA would refuse it: " + words);
}

}  // namespace certmgr::acme
