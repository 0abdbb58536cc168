#include "hal/keyd/wrapping.h"

#include <algorithm>

#include <openssl/rand.h>

#include "hal/error.h"
#include "hal/keyd/software_key.h"

namespace hal::keyd {
namespace {

using CipherContext = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr std::size_t nonceSize = 12;
constexpr std::size_t tagSize = 16;

const unsigned char* textBytes(const KeyId& id) {
    return reinterpret_cast<const unsigned char*>(id.text().data());
}

void requireSize(std::span<const std::uint8_t> wrappingKey) {
    if (wrappingKey.size() != wrappingKeySize)
        throw Error(ErrorKind::rejected, "bad-request",
                    "a wrapping key of " + std::to_string(wrappingKey.size()) +
                        " octets was given, expected 32 (AES-256)");
}

}  // namespace

SecretBytes randomBytes(std::size_t size) {
    SecretBytes bytes(size);
    require(RAND_priv_bytes(bytes.data(), static_cast<int>(size)) == 1, "RAND_priv_bytes");
    return bytes;
}

SecretBytes wrap(std::span<const std::uint8_t> wrappingKey, const KeyId& id,
                 std::span<const std::uint8_t> plain) {
    requireSize(wrappingKey);
    const CipherContext context(EVP_CIPHER_CTX_new());
    const SecretBytes nonce = randomBytes(nonceSize);
    SecretBytes output(nonceSize + plain.size() + tagSize);
    std::copy(nonce.begin(), nonce.end(), output.begin());
    int size = 0;
    require(context &&
                EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, wrappingKey.data(),
                                   nonce.data()) == 1 &&
                EVP_EncryptUpdate(context.get(), nullptr, &size, textBytes(id),
                                  static_cast<int>(id.text().size())) == 1 &&
                EVP_EncryptUpdate(context.get(), output.data() + nonceSize, &size, plain.data(),
                                  static_cast<int>(plain.size())) == 1 &&
                EVP_EncryptFinal_ex(context.get(), output.data() + nonceSize + size, &size) == 1 &&
                EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tagSize,
                                    output.data() + nonceSize + plain.size()) == 1,
            "AES-256-GCM encryption");
    return output;
}

std::optional<SecretBytes> unwrap(std::span<const std::uint8_t> wrappingKey, const KeyId& id,
                                  std::span<const std::uint8_t> wrapped) {
    requireSize(wrappingKey);
    const CipherContext context(EVP_CIPHER_CTX_new());
    require(static_cast<bool>(context), "EVP_CIPHER_CTX_new");
    const std::size_t overhead = nonceSize + tagSize;
    SecretBytes plain(wrapped.size() > overhead ? wrapped.size() - overhead : 0);
    if (plain.empty()) return std::nullopt;
    SecretBytes tag(wrapped.end() - tagSize, wrapped.end());
    int size = 0;
    const bool whole = EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, wrappingKey.data(),
                                          wrapped.data()) == 1 &&
                       EVP_DecryptUpdate(context.get(), nullptr, &size, textBytes(id),
                                         static_cast<int>(id.text().size())) == 1 &&
                       EVP_DecryptUpdate(context.get(), plain.data(), &size, wrapped.data() + nonceSize,
                                         static_cast<int>(plain.size())) == 1 &&
                       EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tagSize, tag.data()) == 1 &&
                       EVP_DecryptFinal_ex(context.get(), plain.data() + size, &size) == 1;
    if (!whole) return std::nullopt;
    return plain;
}

}  // namespace hal::keyd
