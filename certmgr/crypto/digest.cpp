#include "certmgr/crypto/digest.h"

#include <array>

#include <openssl/sha.h>

#include "hal/hex.h"

namespace certmgr::crypto {

std::string sha256Hex(std::span<const std::uint8_t> octets) {
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
    SHA256(octets.data(), octets.size(), digest.data());
    return hal::hex(digest);
}

std::string sha256Hex(std::string_view text) {
    return sha256Hex({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace certmgr::crypto
