// A file key on its way into a backup and out of one: its whole key file, wrapped.
#pragma once

#include <span>

#include "hal/keyd/key_directory.h"

namespace hal::keyd {

// Throws Error(rejected, "not-exportable") for a key that is bound to the TPM of this box.
Bytes exportKeyFile(const KeyFile& file, std::span<const std::uint8_t> wrappingKey);
// Throws Error(rejected, "bad-wrapped-key") for anything that is not a whole file key of this id, whose
// halves belong together, under this wrapping key.
KeyFile importKeyFile(const KeyId& id, std::span<const std::uint8_t> wrappingKey,
                      std::span<const std::uint8_t> wrapped);

}  // namespace hal::keyd
