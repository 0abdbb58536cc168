// RFC 8555 7.5: proving control of each name of an order.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/acme/session.h"

namespace certmgr::acme {

// Returns when all authorizations are valid, whatever state they were found in. What was presented is removed
// again, except where the run is broken off while the CA may be asking for it: then the next run presents and
// removes it. Error(rejected, "authorization-failed") names each identifier with the CA's words.
void obtainAuthorizations(Session::Impl& ca, const std::vector<std::string>& urls, const Solvers& solvers,
                          OrderJournal& journal, const std::stop_token& stop);

// Which authorizations made an order invalid, as the same error; empty: none did. Removes what
// an earlier run presented.
std::optional<Error> authorizationFailure(Session::Impl& ca, const std::vector<std::string>& urls,
                                          const Solvers& solvers, OrderJournal& journal,
                                          const std::stop_token& stop);

}  // namespace certmgr::acme
