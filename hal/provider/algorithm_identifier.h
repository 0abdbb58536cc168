// What X.509 and CMS write beside a signature.
#pragma once

#include "hal/key_store.h"

namespace hal::provider {

// DER AlgorithmIdentifier (RFC 5280 4.1.1.2; RFC 5758 3.2 for ECDSA, RFC 8017 A.2 for RSA).
Bytes algorithmIdentifier(SignatureScheme scheme, Hash hash);

std::size_t sizeOf(Hash hash) noexcept;  // octets

}  // namespace hal::provider
