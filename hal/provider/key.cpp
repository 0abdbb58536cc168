#include "hal/provider/key.h"

#include <openssl/x509.h>

#include "hal/error.h"

namespace hal::provider {

std::unique_ptr<KeyData> keyFromReference(Instance& instance, KeyType type, KeyReference reference) {
    const unsigned char* position = reference.publicKey.data();
    const auto size = static_cast<long>(reference.publicKey.size());
    Pkey publicKey(d2i_PUBKEY_ex(nullptr, &position, size, instance.library(), nullptr));
    if (!publicKey)
        throw Error(
            ErrorKind::rejected, "bad-reference",
            "the key reference is damaged: its public key cannot be read; have the reference written again");
    if (!EVP_PKEY_is_a(publicKey.get(), nameOf(type))) return nullptr;
    auto connection = instance.connectionTo(reference.socketPath);
    auto key =
        std::make_shared<const Key>(Key{std::move(publicKey), std::move(reference), std::move(connection)});
    return std::make_unique<KeyData>(KeyData{instance, type, std::move(key)});
}

}  // namespace hal::provider
