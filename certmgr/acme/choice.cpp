#include "certmgr/acme/choice.h"

#include <algorithm>

#include "certmgr/core/error.h"

namespace certmgr::acme {
namespace {

using wire::Authorization;
using wire::Challenge;

void append(std::string& list, const std::string& entry) {
    list += (list.empty() ? "" : ", ") + entry;
}

const Challenge* offered(const Authorization& authorization, ChallengeKind kind) {
    const auto found = std::ranges::find(authorization.challenges, toString(kind), &Challenge::type);
    return found == authorization.challenges.end() ? nullptr : &*found;
}

// Of a solver that cannot find out, and of which more will be known later, `trouble` says what came in
// between.
std::string whyOut(const Solver& solver, const Identifier& identifier, const Asking& ca,
                   std::optional<Error>& trouble) {
    std::string why = whyNotProvenBy(solver.kind(), identifier);
    if (!why.empty()) return why;
    try {
        return solver.whyNot(identifier, ca);
    } catch (const Error& error) {
        trouble = error;
        return error.what();
    }
}

std::string whyOut(const Solver& solver, const Identifier& identifier, const Challenge* challenge,
                   const std::string& account, std::optional<Error>& trouble) {
    const std::string why = whyNotProvenBy(solver.kind(), identifier);
    if (!why.empty()) return why;
    if (!challenge) return "is not offered by the CA";
    if (!challenge->flaw.empty()) return challenge->flaw;
    return whyOut(solver, identifier, askingOf(*challenge, account), trouble);
}

[[noreturn]] void refuse(const Authorization& authorization, const std::string& out) {
    std::string offers;
    for (const Challenge& challenge : authorization.challenges) append(offers, challenge.type);
    throw Error(ErrorKind::rejected, "no-usable-challenge",
                "no challenge can prove " + identifierOf(authorization).value + ": the CA offers " +
                    (offers.empty() ? "none" : offers) + "; set up here: " + (out.empty() ? "none" : out));
}

// std::ranges::stable_partition is more than clang 14 can read.
template <class Usable, class KindOf>
void beginWith(std::optional<ChallengeKind> first, std::vector<Usable>& usable, KindOf kindOf) {
    std::stable_partition(usable.begin(), usable.end(),
                          [&](const Usable& each) { return first && kindOf(each) == *first; });
}

// The others, of which some ask name servers, need not be asked whether they could.
bool firstWillDo(const Solvers& solvers) {
    return solvers.failures == 0 && !solvers.first;
}

std::optional<Choice> inProcess(const Authorization& authorization, const Solvers& solvers,
                                const std::string& proving) {
    for (Solver& solver : solvers.inOrder)
        if (const Challenge* const challenge = offered(authorization, solver.kind());
            challenge && challenge->status == "processing" &&
            whyNotProvenBy(solver.kind(), identifierOf(authorization)).empty())
            return Choice{&solver, challenge, std::nullopt,
                          proving + std::string(toString(solver.kind())) + ", as the run before began to"};
    return std::nullopt;
}

std::size_t turnOf(const Solvers& solvers, std::size_t usable) {
    return static_cast<std::size_t>(solvers.failures) % usable;
}

}  // namespace

Identifier identifierOf(const Authorization& authorization) {
    Identifier identifier = authorization.identifier;
    if (authorization.wildcard) identifier.value.insert(0, "*.");
    return identifier;
}

Asking askingOf(const Challenge& challenge, const std::string& account) {
    return {challenge.account.empty() ? account : challenge.account, challenge.issuers};
}

Choice chooseChallenge(const Authorization& authorization, const Solvers& solvers,
                       const std::string& account) {
    const Identifier identifier = identifierOf(authorization);
    const std::string proving = "proving " + identifier.value + " by ";
    if (auto begun = inProcess(authorization, solvers, proving)) return *std::move(begun);
    std::vector<Choice> usable;
    std::optional<Error> trouble;
    std::string out;
    for (Solver& solver : solvers.inOrder) {
        if (!usable.empty() && firstWillDo(solvers)) break;
        const std::string kind(toString(solver.kind()));
        const Challenge* const challenge = offered(authorization, solver.kind());
        const std::string why = whyOut(solver, identifier, challenge, account, trouble);
        if (why.empty())
            usable.push_back({&solver, challenge, std::nullopt, proving + kind});
        else
            append(out, kind + " " + why);
    }
    if (usable.empty() && trouble) throw *trouble;
    if (usable.empty()) refuse(authorization, out);
    const Solver* const preferred = usable.front().solver;
    beginWith(solvers.first, usable, [](const Choice& choice) { return choice.solver->kind(); });
    const std::size_t turn = turnOf(solvers, usable.size());
    Choice choice = usable[turn];
    if (usable.size() > 1) choice.preferred = choice.solver == preferred;
    if (turn > 0)
        choice.reason +=
            ": the attempt by " + std::string(toString(usable[turn - 1].solver->kind())) + " failed";
    else if (choice.solver != preferred)
        choice.reason += ", which proved it before";
    else if (!out.empty())
        choice.reason += ": " + out;
    return choice;
}

Solver* solverInTurn(const Identifier& identifier, const Solvers& solvers, const Asking& ca) {
    std::vector<Solver*> usable;
    std::optional<Error> trouble;  // the order will say it
    for (Solver& solver : solvers.inOrder) {
        if (!usable.empty() && firstWillDo(solvers)) break;
        if (whyOut(solver, identifier, ca, trouble).empty()) usable.push_back(&solver);
    }
    if (usable.empty()) return nullptr;
    beginWith(solvers.first, usable, [](const Solver* solver) { return solver->kind(); });
    return usable[turnOf(solvers, usable.size())];
}

std::string whyKindsAreOut(const Identifier& identifier, const Solvers& solvers, const Asking& ca) {
    std::string out;
    std::optional<Error> trouble;
    for (const Solver& solver : solvers.inOrder) {
        const std::string why = whyOut(solver, identifier, ca, trouble);
        if (!why.empty()) append(out, std::string(toString(solver.kind())) + " " + why);
    }
    return out;
}

bool challengeFailed(const std::string& errorCode) {
    return errorCode == "authorization-failed" || errorCode == "challenge-not-visible" ||
           errorCode == "challenge-not-presented" || errorCode == "preflight-address" ||
           errorCode == "preflight-port" || errorCode == "preflight-caa";  // RFC 8657: some kinds
}

}  // namespace certmgr::acme
