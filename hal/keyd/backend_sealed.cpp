#include "hal/keyd/backend_sealed.h"

#include "hal/error.h"
#include "hal/keyd/software_key.h"
#include "hal/keyd/wrapping.h"

namespace hal::keyd {
namespace {

constexpr char sealingFile[] = "sealing-key";

}  // namespace

SecretBytes SealedBackend::sealingKey() {
    const std::lock_guard lock(making_);
    if (const auto stored = directory_.loadNamed(sealingFile)) return tpm_.unseal(tpmObjectFrom(*stored));
    SecretBytes fresh = randomBytes(wrappingKeySize);
    directory_.createNamed(sealingFile, encode(tpm_.seal(fresh)));
    return fresh;
}

KeyMaterial SealedBackend::make(const KeyId& id, KeyAlgorithm algorithm) {
    return import(id, generateKey(algorithm));
}

KeyMaterial SealedBackend::import(const KeyId& id, Pkey key) {
    // Not ready: its first use is to show that the TPM opens it.
    return {publicDer(key), wrap(sealingKey(), id, privateDer(key)), nullptr};
}

std::unique_ptr<SigningKey> SealedBackend::load(const KeyId& id, const KeyMaterial& material) {
    return std::make_unique<SoftwareKey>(keyFromPrivateDer(release(id, material)));
}

SecretBytes SealedBackend::release(const KeyId& id, const KeyMaterial& material) {
    if (std::optional<SecretBytes> plain = unwrap(sealingKey(), id, material.stored))
        return *std::move(plain);
    throw Error(
        ErrorKind::internal, "key-damaged",
        "the sealed key does not open with this box's sealing key: it was damaged, or belongs elsewhere");
}

void SealedBackend::check() {
    directory_.checkRoom();
    tpm_.check();
}

}  // namespace hal::keyd
