// The bytes of a key file: a line that names the format, a SHA-256 over what follows, and the fields.
#pragma once

#include <span>

#include "hal/keyd/key_directory.h"

namespace hal::keyd {

SecretBytes encodeKeyFile(const KeyFile& file);
// Throws Error(internal, "key-damaged").
KeyFile decodeKeyFile(std::span<const std::uint8_t> content);

}  // namespace hal::keyd
