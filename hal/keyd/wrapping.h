// AES-256-GCM over what belongs to one key.
#pragma once

#include <optional>
#include <span>

#include "hal/key_store.h"
#include "hal/keyd/secret.h"

namespace hal::keyd {

inline constexpr std::size_t wrappingKeySize = 32;

SecretBytes randomBytes(std::size_t size);

// nonce || ciphertext || tag; the key's id is authenticated with it, so that what is wrapped cannot be
// exchanged.
SecretBytes wrap(std::span<const std::uint8_t> wrappingKey, const KeyId& id,
                 std::span<const std::uint8_t> plain);
// Absent: damaged, another key's, or wrapped under another wrapping key.
std::optional<SecretBytes> unwrap(std::span<const std::uint8_t> wrappingKey, const KeyId& id,
                                  std::span<const std::uint8_t> wrapped);

}  // namespace hal::keyd
