// RFC 8555 9.7.7 and RFC 8738
#pragma once

#include "certmgr/acme/wire/json.h"
#include "certmgr/core/identifier.h"

namespace certmgr::acme::wire {

Identifier readIdentifier(const Object& object);
nlohmann::json writeIdentifier(const Identifier& identifier);

}  // namespace certmgr::acme::wire
