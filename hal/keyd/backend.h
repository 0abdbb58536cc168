// One place where keys can be: in a file, in a file under a key sealed in the TPM, in the TPM.
#pragma once

#include <memory>
#include <span>

#include "hal/key_store.h"
#include "hal/keyd/secret.h"

namespace hal::keyd {

// A key ready for use. Threads: any, several at once.
class SigningKey {
  public:
    virtual ~SigningKey() = default;
    // `digest` has the length of `hash`, with ed25519 any. Throws "not-supported" for a scheme that is not
    // the algorithm's.
    virtual Bytes sign(SignatureScheme scheme, Hash hash, std::span<const std::uint8_t> digest) const = 0;
};

// What a back end made of a key: the public half, what it wants to find in the key file again, and the key
// ready for use, where it has that at hand (else null: load() makes it).
struct KeyMaterial {
    Bytes publicKey;  // DER SubjectPublicKeyInfo
    SecretBytes stored;
    std::unique_ptr<SigningKey> ready;
};

// Threads: any. Keeps nothing about a key between calls; errors are those of hal::KeyStore.
class Backend {
  public:
    virtual ~Backend() = default;
    virtual KeyMaterial make(const KeyId& id, KeyAlgorithm algorithm) = 0;
    virtual KeyMaterial import(const KeyId& id, Pkey key) = 0;
    virtual std::unique_ptr<SigningKey> load(const KeyId& id, const KeyMaterial& material) = 0;
    virtual SecretBytes release(const KeyId& id, const KeyMaterial& material) = 0;  // PKCS#8 DER
    virtual void check() = 0;  // throws the Error that make() would meet now
};

}  // namespace hal::keyd
