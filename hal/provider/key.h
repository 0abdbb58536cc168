// A key as the provider knows it: the public half, and where the private one is used.
#pragma once

#include <memory>
#include <optional>

#include "hal/client/connection.h"
#include "hal/client/reference.h"
#include "hal/handle.h"
#include "hal/provider/instance.h"

namespace hal::provider {

enum class KeyType { ec, rsa, ed25519 };

inline const char* nameOf(KeyType type) noexcept {
    switch (type) {
        case KeyType::ec:
            return "EC";
        case KeyType::rsa:
            return "RSA";
        case KeyType::ed25519:
            break;
    }
    return "ED25519";
}

// Never changes once it is made, and so is shared between threads and operations.
struct Key {
    Pkey publicKey;                          // in the instance's library
    std::optional<KeyReference> reference;   // none: a public key
    std::shared_ptr<Connection> connection;  // to the reference's keyd
};

// What OpenSSL holds as an EVP_PKEY's key data. It is made empty before a public key is imported into it.
struct KeyData {
    Instance& instance;
    KeyType type;
    std::shared_ptr<const Key> key;
};

// Null where the reference is one to a key of another type. Throws Error(rejected, "bad-reference") where its
// public key cannot be read.
std::unique_ptr<KeyData> keyFromReference(Instance& instance, KeyType type, KeyReference reference);

}  // namespace hal::provider
