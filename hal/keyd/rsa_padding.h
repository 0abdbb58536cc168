// The encodings of RFC 8017 section 9 for a private operation that the TPM does bare.
#pragma once

#include <span>

#include "hal/key_store.h"

namespace hal::keyd {

// As long as the modulus. The salt of EMSA-PSS is random and as long as the digest (RFC 8446 4.2.3).
Bytes emsaPss(Hash hash, std::span<const std::uint8_t> digest, std::size_t modulusBits);
Bytes emsaPkcs1(Hash hash, std::span<const std::uint8_t> digest, std::size_t modulusBits);

}  // namespace hal::keyd
