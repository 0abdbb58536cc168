// What a CA would find of a name, looked at before it is asked: a name that cannot be proved costs no order.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "certmgr/acme/preflight_settings.h"
#include "certmgr/acme/session.h"
#include "certmgr/core/caa.h"
#include "certmgr/core/preflight.h"

namespace certmgr::acme {

// How one name is looked at.
struct Looking {
    Solver& solver;                         // that is to prove it
    std::vector<CaaQuestion> cas;           // of each CA its identities and our account there
    std::chrono::milliseconds limit;        // of the questions to DNS
    std::chrono::milliseconds patience{0};  // for somebody to listen on the port, as at the start of the box
};
// First what is the same for all CAs; then of each of them what its CAA records say. What is proved in DNS
// depends on no address. A resolver that gives no answer makes what it was asked for uncertain.
std::vector<PreflightFinding> lookAhead(const Identifier& name, Looking looking,
                                        const PreflightSettings& settings, const std::stop_token& stop);

// What CAA records call the CA, as far as it is known; nothing is sent.
std::vector<std::string> caaIdentitiesOf(Session& session);
// The same once its directory is read.
std::vector<std::string> readCaaIdentities(Session& session, const std::stop_token& stop);

// Throws Error(rejected, "preflight-address", "preflight-port" or "preflight-caa", …) where a name is blocked
// for certain, with what was found and what to do. Takes a few seconds at most, and none where the resolver
// refuses. Names that no solver can prove are left to the order.
void requireClear(Session::Impl& session, const std::vector<Identifier>& names, const Solvers& solvers,
                  const PreflightSettings& settings, const std::stop_token& stop);

}  // namespace certmgr::acme
