// RFC 8555 7.1.5 and 8.3; draft-ietf-acme-dns-persist-01 3.1
#pragma once

#include <string>
#include <vector>

#include "certmgr/acme/wire/json.h"

namespace certmgr::acme::wire {

struct Challenge {
    std::string type;  // "http-01"
    std::string url;
    std::string status;   // "pending", "processing", "valid", "invalid"
    std::string token;    // empty for types that have none; base64url, checked, for the kinds of core
    std::string problem;  // the error member as JSON; empty: none
    // Of dns-persist-01: by which of them a record may name the CA, and how it names our account; empty: the
    // CA does not say how.
    std::vector<std::string> issuers = {};
    std::string account = {};
    std::string flaw = {};  // why nobody can answer it, as a clause; empty: somebody can
};

Challenge readChallenge(const Object& object);

}  // namespace certmgr::acme::wire
