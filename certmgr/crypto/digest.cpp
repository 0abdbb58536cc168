#include "certmgr/crypto/digest.h"

#include <openssl/sha.h>

#include "certmgr/crypto/jws.h"
#include "hal/hex.h"

namespace certmgr::crypto {

std::array<std::uint8_t, SHA256_DIGEST_LENGTH> sha256(std::span<const std::uint8_t> octets) {
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
    SHA256(octets.data(), octets.size(), digest.data());
    return digest;
}

std::array<std::uint8_t, SHA256_DIGEST_LENGTH> sha256(std::string_view text) {
    return sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::string sha256Hex(std::span<const std::uint8_t> octets) {
    return hal::hex(sha256(octets));
}

std::string sha256Hex(std::string_view text) {
    return hal::hex(sha256(text));
}

std::string sha256Base64url(std::string_view text) {
    const auto digest = sha256(text);
    return base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace certmgr::crypto
