// Whose a name is, by the list of public suffixes.
#pragma once

#include <string>

#include "certmgr/core/identifier.h"

namespace certmgr::crypto {

// The part of a DNS name that its owner has registered, "example.co.uk" of "*.www.example.co.uk"; of an
// address what one customer gets: an IPv4 address, the /64 of an IPv6 one.
std::string registeredDomain(const Identifier& name);

}  // namespace certmgr::crypto
