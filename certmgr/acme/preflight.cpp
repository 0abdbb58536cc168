#include "certmgr/acme/preflight.h"

#include <algorithm>
#include <optional>

#include "certmgr/acme/choice.h"
#include "certmgr/acme/waiting.h"
#include "certmgr/net/name_lookup.h"

namespace certmgr::acme {
namespace {

using std::chrono::milliseconds;
using LookType = net::NameLookup::Question::Type;

using LookClock = std::chrono::steady_clock;

constexpr milliseconds longestLookAhead{5000};
constexpr milliseconds lookAgain{200};
constexpr const char* loopback = "127.0.0.1";

PreflightFinding uncertain(PreflightCheck check, std::string words) {
    return {check, PreflightVerdict::uncertain, std::move(words)};
}

PreflightFinding blocked(PreflightCheck check, std::string words) {
    return {check, PreflightVerdict::blocked, std::move(words)};
}

// What DNS says of a name, and the box of itself.
struct Records {
    OwnAddresses own;
    std::vector<JudgedAddress> addresses;
    std::vector<net::Lookup> addressLookups;
    std::vector<std::string> above;  // the names that may have CAA records
    std::vector<net::Lookup> caa;    // of each of these

    bool has(net::LookupOutcome outcome) const {
        return std::ranges::find(addressLookups, outcome, &net::Lookup::outcome) != addressLookups.end();
    }
};

Records recordsOf(const Identifier& name, bool byAddress, milliseconds limit,
                  const PreflightSettings& settings) {
    Records records;
    records.own = {net::interfaceAddresses(), settings.publicAddresses};
    if (name.type == Identifier::Type::ip) {
        records.addresses = judged({name.value}, records.own);
        return records;
    }
    records.above = caaNames(name);
    std::vector<net::NameLookup::Question> questions;
    for (const std::string& each : records.above) questions.push_back({LookType::caa, each});
    if (byAddress)
        for (const LookType type : {LookType::a, LookType::aaaa}) questions.push_back({type, name.value});
    const std::vector<net::Lookup> found = net::NameLookup(settings.resolver).ask(questions, limit);
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(records.above.size());
    records.caa.assign(found.begin(), end);
    records.addressLookups.assign(end, found.end());
    std::vector<std::string> addresses;
    for (const net::Lookup& lookup : records.addressLookups)
        addresses.insert(addresses.end(), lookup.values.begin(), lookup.values.end());
    records.addresses = judged(addresses, records.own);
    return records;
}

PreflightFinding addressFindingOf(const Identifier& name, const Records& records,
                                  const PreflightSettings& settings) {
    if (records.has(net::LookupOutcome::unreachable))
        return uncertain(PreflightCheck::address,
                         "the resolver gave no answer for the addresses of " + name.value);
    if (records.has(net::LookupOutcome::failed))
        return blocked(PreflightCheck::address,
                       "the name servers of " + name.value +
                           " fail (SERVFAIL), and would fail a CA too: see that they "
                           "answer, and DNSSEC where the zone is signed");
    return judgeAddresses(name, records.addresses, records.own, settings.publicOnly);
}

// RFC 8555 8.3, RFC 8737 3.
std::uint16_t portOfCas(ChallengeKind kind) {
    return kind == ChallengeKind::tlsAlpn01 ? 443 : 80;
}

// Where a port can be tried without a packet that leaves the box.
struct TryPlaces {
    std::vector<std::string> addresses;
    bool asCas = false;  // a CA comes to the same
};

// At the addresses of its interfaces, if that is the port that CAs ask on; else on loopback, which says less.
TryPlaces placesFor(const Solver& solver, const std::vector<JudgedAddress>& addresses,
                    const PreflightSettings& settings) {
    TryPlaces places;
    if (solver.port() == 0) return places;
    bool ours = false;
    for (const JudgedAddress& each : addresses) {
        if (settings.publicOnly && !whyNotPublic({Identifier::Type::ip, each.address}).empty()) continue;
        ours = ours || each.ours;
        if (each.interface && solver.port() == portOfCas(solver.kind()))
            places.addresses.push_back(each.address);
    }
    places.asCas = !places.addresses.empty();
    if (!places.asCas && ours) places.addresses.emplace_back(loopback);
    return places;
}

std::optional<PreflightFinding> portFindingOf(const Identifier& name,
                                              const std::vector<JudgedAddress>& addresses,
                                              const Looking& looking, const PreflightSettings& settings,
                                              const std::stop_token& stop) {
    Solver& solver = looking.solver;
    const TryPlaces places = placesFor(solver, addresses, settings);
    if (places.addresses.empty()) return std::nullopt;
    const auto end = LookClock::now() + looking.patience;
    for (;; pause(lookAgain, stop)) {
        std::vector<PortAnswer> answers;
        for (const std::string& address : places.addresses) {
            answers.push_back(solver.answerAt(name, address));
            answers.back().certain = answers.back().certain && places.asCas;
        }
        const bool mayCome = std::ranges::any_of(answers, [](const PortAnswer& answer) {
            return answer.certain && answer.who == PortAnswer::Who::nobody;
        });
        if (!mayCome || LookClock::now() >= end) return judgePort(name, solver.port(), answers);
    }
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

std::vector<PreflightFinding> lookAhead(const Identifier& name, Looking looking,
                                        const PreflightSettings& settings, const std::stop_token& stop) {
    const ChallengeKind kind = looking.solver.kind();
    const bool byAddress = kind == ChallengeKind::http01 || kind == ChallengeKind::tlsAlpn01;
    const Records records = recordsOf(name, byAddress, looking.limit, settings);
    std::vector<PreflightFinding> findings;
    if (byAddress) {
        findings.push_back(addressFindingOf(name, records, settings));
        if (auto port = portFindingOf(name, records.addresses, looking, settings, stop))
            findings.push_back(*std::move(port));
    }
    for (CaaQuestion& ca : looking.cas) {
        if (name.type == Identifier::Type::ip) break;  // RFC 8659 knows domain names only
        ca.challenge = kind;
        ca.wildcard = name.wildcard();
        findings.push_back(caaFindingOf(records.above, records.caa, ca));
    }
    return findings;
}

std::vector<std::string> caaIdentitiesOf(Session& session) {
    return session.impl().caaIdentities();
}

std::vector<std::string> readCaaIdentities(Session& session, const std::stop_token& stop) {
    session.impl().directory(stop);
    return caaIdentitiesOf(session);
}

void requireClear(Session::Impl& session, const std::vector<Identifier>& names, const Solvers& solvers,
                  const PreflightSettings& settings, const std::stop_token& stop) {
    session.directory(stop);
    const CaaQuestion ofCa{session.caaIdentities(), false, ChallengeKind::http01, session.accountUrl(stop)};
    const LookClock::time_point end = LookClock::now() + longestLookAhead;
    std::string code;
    std::string words;
    for (const Identifier& name : names) {
        const auto left = std::chrono::duration_cast<milliseconds>(end - LookClock::now());
        if (left.count() <= 0) break;
        Solver* const solver = solverInTurn(name, solvers, {ofCa.account, ofCa.identities});
        if (!solver) continue;
        const Looking looking{*solver, {ofCa}, left, solver->patience()};
        for (const PreflightFinding& finding : lookAhead(name, looking, settings, stop)) {
            if (finding.verdict != PreflightVerdict::blocked) continue;
            if (code.empty()) code = preflightCode + std::string(toString(finding.check));
            words += (words.empty() ? "" : "; ") + finding.words;
        }
    }
    if (!code.empty())
        throw Error(ErrorKind::rejected, code, "no order was placed, the CA would refuse it: " + words);
}

}  // namespace certmgr::acme
