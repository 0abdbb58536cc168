// What is done to an account besides ordering with it. Errors as those of issue().
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "certmgr/acme/issue.h"

namespace certmgr::acme {

// Whether the key of the session has an account at the server; none is made.
bool hasAccount(Session& session, const std::stop_token& stop);
// From now on the account is the key's (RFC 8555 7.3.5), and the session of no more use. Where the answer was
// lost, hasAccount() with a session of that key tells whether the server took it.
void changeKey(Session& session, EVP_PKEY& next, const std::stop_token& stop);
// Nobody can use the account any more (RFC 8555 7.3.6). One that is so already, or gone, is none to complain
// of.
void deactivate(Session& session, const std::stop_token& stop);

}  // namespace certmgr::acme
