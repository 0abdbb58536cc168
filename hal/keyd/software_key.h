// Private keys in this process's memory: made, read, written and used by OpenSSL's default provider.
#pragma once

#include <span>
#include <string_view>

#include "hal/error.h"
#include "hal/keyd/backend.h"

namespace hal::keyd {

Pkey generateKey(KeyAlgorithm algorithm);

// The one private key of a PEM text; other blocks are ignored. Throws Error(rejected, "bad-key").
Pkey keyFromPem(std::string_view pem);
// Throws Error(rejected, "bad-key") for what is no KeyAlgorithm, or whose halves do not belong together.
KeyAlgorithm algorithmOf(const Pkey& key);
void checkConsistency(const Pkey& key);

Bytes publicDer(const Pkey& key);
SecretBytes privateDer(const Pkey& key);  // PKCS#8
Pkey keyFromPrivateDer(std::span<const std::uint8_t> der);
std::string privatePem(std::span<const std::uint8_t> pkcs8);  // the caller wipes it

class SoftwareKey final : public SigningKey {
  public:
    explicit SoftwareKey(Pkey key) : key_(std::move(key)) {}
    Bytes sign(SignatureScheme scheme, Hash hash, std::span<const std::uint8_t> digest) const override;

  private:
    Pkey key_;
};

std::size_t digestLength(Hash hash) noexcept;
void checkDigest(SignatureScheme scheme, Hash hash, std::size_t size);  // throws "not-supported"
const EVP_MD* digestOf(Hash hash) noexcept;
Error notSupported(const std::string& found);

// Throws Error(internal, "openssl-failed") with OpenSSL's own reason.
void require(bool succeeded, const char* call);

}  // namespace hal::keyd
