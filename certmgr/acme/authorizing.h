// RFC 8555 7.5: proving control of each name of an order.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/acme/session.h"

namespace certmgr::acme {

// Returns when all authorizations are valid, whatever state they were found in. Challenges that were
// presented are removed again in every case. Error(rejected, "authorization-failed") names each identifier
// with the CA's words.
void obtainAuthorizations(Session::Impl& ca, const std::vector<std::string>& urls, Http01Solver& solver,
                          OrderJournal& journal, const std::stop_token& stop);

// Why an order that has no error of its own is invalid.
Error authorizationFailure(Session::Impl& ca, const std::vector<std::string>& urls,
                           const std::stop_token& stop);

}  // namespace certmgr::acme
