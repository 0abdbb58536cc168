// SHA-256 as the fields, file names and records of the box have it: in lower-case hexadecimal, and as ACME
// has it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace certmgr::crypto {

std::array<std::uint8_t, 32> sha256(std::span<const std::uint8_t> octets);
std::array<std::uint8_t, 32> sha256(std::string_view text);

std::string sha256Hex(std::span<const std::uint8_t> octets);
std::string sha256Hex(std::string_view text);
std::string sha256Base64url(std::string_view text);

}  // namespace certmgr::crypto
