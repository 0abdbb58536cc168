// Where private keys live, seen from above: makes keys, lends them by reference, destroys them.
// Above this header nobody can tell a TPM from a file.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hal/handle.h"

namespace hal {

using Bytes = std::vector<std::uint8_t>;

// rsa4096: no TPM that we know makes it; sealed and file do.
// ed25519: taken from outside alone, since no public CA certifies it.
enum class KeyAlgorithm { ecP256, ecP384, rsa2048, rsa3072, rsa4096, ed25519 };
std::string_view toString(
    KeyAlgorithm algorithm) noexcept;  // "ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519"
std::optional<KeyAlgorithm> keyAlgorithmFrom(std::string_view text) noexcept;
// Those that can be asked for.
std::optional<KeyAlgorithm> makeableAlgorithmFrom(std::string_view text) noexcept;

// What the owner of a certificate asks for.
enum class KeyPolicy {
    tpm,        // made inside the TPM and never leaves it; an error where that cannot be
    sealed,     // a file key, encrypted under a key sealed in the TPM; an error where that cannot be
    file,       // a file of mode 0600
    preferTpm,  // tpm, and where that cannot be now: file, with the reason on record
};
std::string_view toString(KeyPolicy policy) noexcept;  // "tpm", "sealed", "file", "prefer-tpm"
std::optional<KeyPolicy> keyPolicyFrom(std::string_view text) noexcept;

// Where a key really is. Decided once, when the key is made; a key never moves.
enum class KeyBackend { tpm, sealed, file };
std::string_view toString(KeyBackend backend) noexcept;  // "tpm", "sealed", "file"
std::optional<KeyBackend> keyBackendFrom(std::string_view text) noexcept;

// 32 lower-case hexadecimal digits, chosen at random by the caller *before* the key is made, so that the
// intent can be stored first and a crash in between leaves nothing that nobody knows of.
// Default-made: empty, names no key.
class KeyId {
  public:
    KeyId() = default;
    static KeyId fresh();  // 128 bits from the kernel
    static std::optional<KeyId> parse(std::string_view text) noexcept;
    const std::string& text() const noexcept { return text_; }
    bool empty() const noexcept { return text_.empty(); }
    auto operator<=>(const KeyId&) const = default;

  private:
    explicit KeyId(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

// Who may sign with a key, by the peer credentials of the connection. Names are resolved when a request
// comes, so a user may be named before it exists. The managers that keyd was started with may always sign.
struct AccessList {
    std::vector<std::string> users;
    std::vector<std::string> groups;  // primary or supplementary group of the peer
    bool operator==(const AccessList&) const = default;
};

struct KeyRequest {
    KeyId id;
    KeyAlgorithm algorithm = KeyAlgorithm::ecP256;
    KeyPolicy policy = KeyPolicy::preferTpm;
    AccessList access;
    std::string label;  // for people: "gw.example.com". At most 255 bytes, no control characters.
};

struct KeyInfo {
    KeyId id;
    KeyAlgorithm algorithm = KeyAlgorithm::ecP256;
    KeyBackend backend = KeyBackend::file;
    std::string reasonCode;  // why this back end: "as-asked", "no-tpm", "tpm-locked-out", "tpm-full", …
    std::string reason;      // the same as a sentence
    Bytes publicKey;         // DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7)
    AccessList access;
    std::string label;
    std::chrono::sys_seconds created;
    bool released = false;  // the private part was handed out once
};

enum class SignatureScheme {
    ecdsa,     // DER Ecdsa-Sig-Value (RFC 3279 2.2.3)
    rsaPkcs1,  // RSASSA-PKCS1-v1_5 (RFC 8017 8.2)
    rsaPss,    // RSASSA-PSS (RFC 8017 8.1), MGF1 with the same hash, salt as long as the hash
    ed25519,   // RFC 8032 5.1: signs the message itself, and has a hash of its own
};
enum class Hash { sha256, sha384, sha512 };

struct BackendHealth {
    KeyBackend backend;
    bool usable;
    std::string reasonCode;  // "ok", "no-tpm", "tpm-locked-out", "tpm-gone", "tpm-full", "disk-full", …
    std::string reason;      // what was found and what to do, as a sentence
};

// Implementations: hal::KeydClient (the key daemon over its socket) and the tests' MemoryKeyStore.
//
// Threads: every method may be called from any thread at once. All block; the TPM may take seconds.
// Errors: hal::Error. Codes: "key-exists", "key-not-found", "access-denied" (rejected); "keyd-unreachable"
// (transient); "no-tpm", "tpm-locked-out", "tpm-full", "tpm-gone", "tpm-failed" (misconfigured or transient);
// "disk-full" (internal); "not-supported" (an algorithm or digest that the back end cannot do),
// "not-releasable", "already-released", "not-importable", "bad-key", "not-exportable", "bad-wrapped-key"
// (rejected).
class KeyStore {
  public:
    virtual ~KeyStore() = default;

    // Makes and stores the key durably before it returns. An id that exists is never overwritten:
    // "key-exists". A crash at any moment leaves the key whole or not at all.
    virtual KeyInfo make(const KeyRequest& request) = 0;

    // Takes a private key that was made elsewhere: one PEM block, PKCS#8 or the traditional forms, not
    // encrypted; other blocks beside it are ignored, so an upload is passed on whole and certmgrd never
    // parses a key. `request.algorithm` is ignored. Policy tpm: "not-importable"; prefer-tpm makes a file key
    // with the reason "imported". RSA of 2048, 3072 or 4096 bits, P-256, P-384 and Ed25519; anything else, or
    // no or two keys: "bad-key". The caller wipes the text.
    virtual KeyInfo import(const KeyRequest& request, std::string_view pem) = 0;

    virtual std::optional<KeyInfo> find(const KeyId& id) = 0;
    virtual std::vector<KeyInfo> list() = 0;

    // `digest` has exactly the length of `hash`. With ed25519 it is the message, and `hash` says nothing.
    virtual Bytes sign(const KeyId& id, SignatureScheme scheme, Hash hash,
                       std::span<const std::uint8_t> digest) = 0;

    // Replaces the access list, durably: a service that is new on the box, or one that is gone.
    // "key-not-found".
    virtual void setAccess(const KeyId& id, const AccessList& access) = 0;

    // Gone when it returns, and durably. Absent already: returns false.
    virtual bool destroy(const KeyId& id) = 0;

    // The private key as PKCS#8 PEM, once for each key, for a service that cannot work with references; to an
    // installer that keyd was started with as often as it asks. tpm: "not-releasable". The caller wipes what
    // it got (OPENSSL_cleanse).
    virtual std::string release(const KeyId& id) = 0;

    // For a backup: a file key with all that is known of it, encrypted by the store itself under 32 octets of
    // the caller's, so that the private half is nowhere else in the clear. tpm and sealed are bound to the
    // TPM of this box: "not-exportable".
    virtual Bytes exportWrapped(const KeyId& id, std::span<const std::uint8_t> wrappingKey) = 0;
    // What that gave, durably and under its id. Where the store has this very key already it stays as it is,
    // a damaged one is replaced; another one of that id: "key-exists". "bad-wrapped-key" for anything else.
    virtual KeyInfo importWrapped(const KeyId& id, std::span<const std::uint8_t> wrappingKey,
                                  std::span<const std::uint8_t> wrapped) = 0;

    // A handle for OpenSSL calls that sign (X509_sign, EVP_DigestSign, SSL_CTX_use_PrivateKey). Each use of
    // it is a signature by the store; it holds no secret. Verification with it runs in software.
    virtual Pkey open(const KeyId& id) = 0;

    // The PEM text that a service's OpenSSL, with the certmgr provider, loads in the place of a private key.
    virtual std::string reference(const KeyId& id) = 0;

    virtual std::vector<BackendHealth> health() = 0;
};

}  // namespace hal
