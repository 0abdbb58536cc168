// RFC 8555 7.6
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "certmgr/core/issued_certificate.h"

namespace certmgr::acme::wire {

std::string revocationPayload(std::span<const std::uint8_t> certificateDer, RevocationReason reason);

}  // namespace certmgr::acme::wire
