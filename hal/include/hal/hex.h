// Octets as people and file names have them: in lower-case hexadecimal.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace hal {

std::string hex(std::span<const std::uint8_t> octets);

}  // namespace hal
