#include "certmgr/crypto/digest.h"

#include <array>

#include <openssl/sha.h>

#include "certmgr/crypto/jws.h"
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

std::string sha256Base64url(std::string_view text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace certmgr::crypto
