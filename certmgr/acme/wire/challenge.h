// RFC 8555 7.1.5 and 8.3
#pragma once

#include <string>

#include "certmgr/acme/wire/json.h"

namespace certmgr::acme::wire {

struct Challenge {
    std::string type;  // "http-01"
    std::string url;
    std::string status;   // "pending", "processing", "valid", "invalid"
    std::string token;    // empty for types that have none; base64url, checked, for the kinds of core
    std::string problem;  // the error member as JSON; empty: none
};

Challenge readChallenge(const Object& object);

}  // namespace certmgr::acme::wire
