#include "hal/keyd/backend_file.h"

#include "hal/keyd/software_key.h"

namespace hal::keyd {

KeyMaterial FileBackend::make(const KeyId& id, KeyAlgorithm algorithm) {
    return import(id, generateKey(algorithm));
}

KeyMaterial FileBackend::import(const KeyId&, Pkey key) {
    KeyMaterial material{publicDer(key), privateDer(key), nullptr};
    material.ready = std::make_unique<SoftwareKey>(std::move(key));
    return material;
}

std::unique_ptr<SigningKey> FileBackend::load(const KeyId&, const KeyMaterial& material) {
    return std::make_unique<SoftwareKey>(keyFromPrivateDer(material.stored));
}

SecretBytes FileBackend::release(const KeyId&, const KeyMaterial& material) {
    return material.stored;
}

}  // namespace hal::keyd
