#include "hal/keyd/rsa_padding.h"

#include <algorithm>
#include <array>

#include <openssl/rand.h>

#include "hal/error.h"
#include "hal/keyd/software_key.h"

namespace hal::keyd {
namespace {

Bytes digestOfBytes(Hash hash, std::span<const std::uint8_t> data) {
    Bytes digest(digestLength(hash));
    if (EVP_Digest(data.data(), data.size(), digest.data(), nullptr, digestOf(hash), nullptr) != 1)
        throw Error(ErrorKind::internal, "openssl-failed", "EVP_Digest failed");
    return digest;
}

// RFC 8017 B.2.1, xored onto `block`.
void applyMask(Hash hash, std::span<const std::uint8_t> seed, std::span<std::uint8_t> block) {
    Bytes input(seed.begin(), seed.end());
    input.resize(seed.size() + 4);
    for (std::size_t offset = 0; offset < block.size();) {
        for (const std::uint8_t octet : digestOfBytes(hash, input))
            if (offset < block.size()) block[offset++] ^= octet;
        ++input.back();  // the counter: a modulus needs fewer than 256 digests
    }
}

// DER of DigestInfo up to the digest itself (RFC 8017 9.2, note 1).
Bytes digestInfoPrefix(Hash hash) {
    const std::uint8_t size = static_cast<std::uint8_t>(digestLength(hash));
    const std::uint8_t arc = hash == Hash::sha256 ? 1 : hash == Hash::sha384 ? 2 : 3;
    return {0x30, static_cast<std::uint8_t>(size + 17),
            0x30, 0x0d,
            0x06, 0x09,
            0x60, 0x86,
            0x48, 0x01,
            0x65, 0x03,
            0x04, 0x02,
            arc,  0x05,
            0x00, 0x04,
            size};
}

}  // namespace

// RFC 8017 9.1.1, with emBits = modulusBits - 1 and moduli of whole octets.
Bytes emsaPss(Hash hash, std::span<const std::uint8_t> digest, std::size_t modulusBits) {
    const std::size_t length = digestLength(hash);
    Bytes salt(length);
    if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1)
        throw Error(ErrorKind::internal, "openssl-failed", "RAND_bytes failed");
    Bytes hashed(8);
    hashed.insert(hashed.end(), digest.begin(), digest.end());
    hashed.insert(hashed.end(), salt.begin(), salt.end());
    const Bytes h = digestOfBytes(hash, hashed);

    Bytes encoded(modulusBits / 8);
    const std::size_t maskedSize = encoded.size() - length - 1;
    encoded[maskedSize - length - 1] = 0x01;
    std::copy(salt.begin(), salt.end(), encoded.begin() + static_cast<std::ptrdiff_t>(maskedSize - length));
    applyMask(hash, h, std::span(encoded).first(maskedSize));
    encoded[0] &= 0x7f;
    std::copy(h.begin(), h.end(), encoded.begin() + static_cast<std::ptrdiff_t>(maskedSize));
    encoded.back() = 0xbc;
    return encoded;
}

Bytes emsaPkcs1(Hash hash, std::span<const std::uint8_t> digest, std::size_t modulusBits) {
    const Bytes prefix = digestInfoPrefix(hash);
    Bytes encoded(modulusBits / 8, 0xff);
    const auto digestBegin = encoded.end() - static_cast<std::ptrdiff_t>(digest.size());
    const auto prefixBegin = digestBegin - static_cast<std::ptrdiff_t>(prefix.size());
    encoded[0] = 0x00;
    encoded[1] = 0x01;
    *(prefixBegin - 1) = 0x00;
    std::copy(prefix.begin(), prefix.end(), prefixBegin);
    std::copy(digest.begin(), digest.end(), digestBegin);
    return encoded;
}

}  // namespace hal::keyd
