// Which challenge of an authorization is answered, by whom, and why that one.
#pragma once

#include <optional>
#include <string>

#include "certmgr/acme/solver.h"
#include "certmgr/acme/wire/authorization.h"

namespace certmgr::acme {

// What the authorization is about; a wildcard with its "*.".
Identifier identifierOf(const wire::Authorization& authorization);

// How a record in DNS names us and the CA that offers it.
Asking askingOf(const wire::Challenge& challenge, const std::string& account);

struct Choice {
    Solver* solver = nullptr;
    const wire::Challenge* challenge = nullptr;  // of the authorization
    std::optional<bool> preferred;  // to others that could prove it; absent: nobody looked, or there is none
    std::string reason;             // "proving gw.example by dns-01: the attempt by http-01 failed"
};

// The one that an earlier run has answered already; else the first that is usable, by order and failures.
// `account`: its URL at the CA.
// Error (rejected, "no-usable-challenge") says what the CA offers, and of each kind here why it is out.
Choice chooseChallenge(const wire::Authorization& authorization, const Solvers& solvers,
                       const std::string& account);

// The one that this CA would be answered by if it offers all kinds; null: none is usable, or it cannot be
// found out.
Solver* solverInTurn(const Identifier& identifier, const Solvers& solvers, const Asking& ca);

// Of each kind that is set up why it cannot prove it, as clauses: "http-01 cannot prove a wildcard (…)".
std::string whyKindsAreOut(const Identifier& identifier, const Solvers& solvers, const Asking& ca);

// Whether an attempt that ended in this error failed by the kind of challenge, so that another may do better.
bool challengeFailed(const std::string& errorCode);

}  // namespace certmgr::acme
