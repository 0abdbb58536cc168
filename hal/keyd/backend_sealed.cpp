#include "hal/keyd/backend_sealed.h"

#include <openssl/rand.h>

#include "hal/error.h"
#include "hal/keyd/software_key.h"

namespace hal::keyd {
namespace {

using CipherContext = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr char sealingFile[] = "sealing-key";
constexpr std::size_t keySize = 32;
constexpr std::size_t nonceSize = 12;
constexpr std::size_t tagSize = 16;

SecretBytes randomBytes(std::size_t size) {
    SecretBytes bytes(size);
    require(RAND_priv_bytes(bytes.data(), static_cast<int>(size)) == 1, "RAND_priv_bytes");
    return bytes;
}

const unsigned char* textBytes(const KeyId& id) {
    return reinterpret_cast<const unsigned char*>(id.text().data());
}

// nonce || ciphertext || tag; the key's id is authenticated with it, so that files cannot be exchanged.
SecretBytes encrypt(const SecretBytes& key, const KeyId& id, const SecretBytes& plain) {
    const CipherContext context(EVP_CIPHER_CTX_new());
    const SecretBytes nonce = randomBytes(nonceSize);
    SecretBytes output(nonceSize + plain.size() + tagSize);
    std::copy(nonce.begin(), nonce.end(), output.begin());
    int size = 0;
    require(
        context &&
            EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1 &&
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

SecretBytes decrypt(const SecretBytes& key, const KeyId& id, SecretBytes sealed) {
    const CipherContext context(EVP_CIPHER_CTX_new());
    require(static_cast<bool>(context), "EVP_CIPHER_CTX_new");
    const std::size_t overhead = nonceSize + tagSize;
    SecretBytes plain(sealed.size() > overhead ? sealed.size() - overhead : 0);
    int size = 0;
    const bool whole =
        !plain.empty() &&
        EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), sealed.data()) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &size, textBytes(id), static_cast<int>(id.text().size())) ==
            1 &&
        EVP_DecryptUpdate(context.get(), plain.data(), &size, sealed.data() + nonceSize,
                          static_cast<int>(plain.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tagSize,
                            sealed.data() + nonceSize + plain.size()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), plain.data() + size, &size) == 1;
    if (!whole)
        throw Error(
            ErrorKind::internal, "key-damaged",
            "the sealed key does not open with this box's sealing key: it was damaged, or belongs elsewhere");
    return plain;
}

}  // namespace

SecretBytes SealedBackend::sealingKey() {
    const std::lock_guard lock(making_);
    if (const auto stored = directory_.loadNamed(sealingFile)) return tpm_.unseal(tpmObjectFrom(*stored));
    SecretBytes fresh = randomBytes(keySize);
    directory_.createNamed(sealingFile, encode(tpm_.seal(fresh)));
    return fresh;
}

KeyMaterial SealedBackend::make(const KeyId& id, KeyAlgorithm algorithm) {
    return import(id, generateKey(algorithm));
}

KeyMaterial SealedBackend::import(const KeyId& id, Pkey key) {
    KeyMaterial material{publicDer(key), encrypt(sealingKey(), id, privateDer(key)), nullptr};
    material.ready = std::make_unique<SoftwareKey>(std::move(key));
    return material;
}

std::unique_ptr<SigningKey> SealedBackend::load(const KeyId& id, const KeyMaterial& material) {
    return std::make_unique<SoftwareKey>(keyFromPrivateDer(release(id, material)));
}

SecretBytes SealedBackend::release(const KeyId& id, const KeyMaterial& material) {
    return decrypt(sealingKey(), id, material.stored);
}

void SealedBackend::check() {
    directory_.checkRoom();
    tpm_.check();
}

}  // namespace hal::keyd
