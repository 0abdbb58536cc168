// RFC 8555 7.1.4
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "certmgr/acme/wire/challenge.h"
#include "certmgr/core/identifier.h"

namespace certmgr::acme::wire {

// Deactivated, expired and revoked ones are of no more use to an order than invalid ones.
enum class AuthorizationStatus { pending, valid, invalid };

struct Authorization {
    AuthorizationStatus status = AuthorizationStatus::pending;
    std::string statusText;
    Identifier identifier;  // without "*.", which `wildcard` stands for
    bool wildcard = false;
    std::vector<Challenge> challenges;
};

Authorization parseAuthorization(std::string_view document);

}  // namespace certmgr::acme::wire
