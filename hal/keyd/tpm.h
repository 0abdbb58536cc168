// The TPM as keyd uses it: makes keys, signs with them, seals and unseals a secret. No type of libtss2 shows
// here.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "hal/key_store.h"
#include "hal/keyd/secret.h"

namespace hal::keyd {

class TpmSession;

// What a TPM hands out when it makes an object: worthless without that TPM and the storage key it lies under.
struct TpmObject {
    std::uint32_t parentHandle = 0;  // persistent
    Bytes parentName;                // TPM 2.0 Part 1, 16: the hash that identifies the parent's public area
    Bytes publicArea;                // marshalled TPM2B_PUBLIC
    Bytes privateArea;               // marshalled TPM2B_PRIVATE, encrypted by the parent
};

SecretBytes encode(const TpmObject& object);
TpmObject tpmObjectFrom(std::span<const std::uint8_t> encoded);

struct TpmKey {
    TpmObject object;
    Bytes publicKey;  // DER SubjectPublicKeyInfo
};

// Connects when first needed and again when the TPM, or its resource manager, went away and came back.
//
// Threads: any; calls wait for each other, as a TPM does one thing at a time.
// Errors: "no-tpm", "tpm-gone", "tpm-locked-out", "tpm-full", "tpm-failed", "not-supported".
class Tpm {
  public:
    explicit Tpm(std::string tcti);  // as for Tss2_TctiLdr_Initialize, or "none"
    ~Tpm();

    TpmKey makeKey(KeyAlgorithm algorithm);
    // The digest is cut to the length of the curve's order (FIPS 186-5 6.4.1). Returns the DER
    // Ecdsa-Sig-Value.
    Bytes signEcdsa(const TpmObject& key, std::span<const std::uint8_t> digest);
    // The bare RSA private operation (RFC 8017 5.2.1 RSASP1) on a block as long as the modulus.
    Bytes rsaPrivate(const TpmObject& key, std::span<const std::uint8_t> block);

    TpmObject seal(const SecretBytes& secret);
    SecretBytes unseal(const TpmObject& object);

    void check();  // that a key could be made now

  private:
    template <class Work>
    auto perform(Work work);

    const std::string tcti_;
    std::mutex mutex_;  // guards what follows
    bool everReached_ = false;
    std::unique_ptr<TpmSession> session_;
};

}  // namespace hal::keyd
