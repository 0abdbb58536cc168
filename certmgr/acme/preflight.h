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

// Looks at one name, for at most `limit`; `ca`: its identities, our account there and the challenge that is
// to prove it. What is proved in DNS does not depend on the addresses of
// the name. A resolver that gives no answer makes
// what it was asked for uncertain.
std::vector<PreflightFinding> lookAhead(const Identifier& name, CaaQuestion ca,
                                        const PreflightSettings& settings, std::chrono::milliseconds limit);

// What CAA records call the CA, as far as it is known; nothing is sent.
std::vector<std::string> caaIdentitiesOf(Session& session);

// Throws Error(rejected, "preflight-address" or "preflight-caa", …) where a name is blocked for certain, with
// what was found and what to do. Takes a few seconds at most, and none where the resolver refuses. Names that
// no solver can prove are left to the order.
void requireClear(Session::Impl& session, const std::vector<Identifier>& names, const Solvers& solvers,
                  const PreflightSettings& settings, const std::stop_token& stop);

}  // namespace certmgr::acme
