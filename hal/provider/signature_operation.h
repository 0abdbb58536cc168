// One signature being made or verified: what OpenSSL calls a signature context.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "hal/provider/key.h"

namespace hal::provider {

using Octets = std::span<const std::uint8_t>;

// All that fail throw hal::Error. A copy goes on from where the original stands.
class SignatureOperation {
  public:
    enum class Purpose { sign, verify };

    explicit SignatureOperation(Instance& instance);
    SignatureOperation(const SignatureOperation& other);
    SignatureOperation& operator=(const SignatureOperation&) = delete;

    // `data` null: with the key of the last time.
    void begin(Purpose purpose, const KeyData* data);
    // What is signed comes through update(), hashed with `digestName`; empty: SHA-256.
    void beginDigest(std::string_view digestName);
    void update(Octets part);

    std::size_t maxSize() const;
    Bytes sign(Octets digest) const;
    Bytes finishSigning();
    bool verify(Octets signature, Octets digest) const;
    bool finishVerifying(Octets signature);

    void chooseDigest(std::string_view digestName);
    void chooseMgf1Digest(std::string_view digestName);
    void choosePadding(int padding);        // RSA_PKCS1_PADDING or RSA_PKCS1_PSS_PADDING
    void chooseSaltLength(int saltLength);  // octets, or RSA_PSS_SALTLEN_DIGEST, _AUTO, _MAX

    int padding() const noexcept { return padding_; }
    int saltLength() const noexcept { return saltLength_; }
    const char* digestName() const noexcept;  // empty: not chosen yet
    Bytes algorithmIdentifier() const;        // DER, RFC 5280 4.1.1.2

  private:
    const Key& key() const;
    bool isRsa() const noexcept { return type_ == KeyType::rsa; }
    Hash hashNamed(std::string_view digestName) const;
    Hash hashFor(Octets digest) const;
    void checkPss(Hash hash) const;
    Bytes finishDigest();

    Instance& instance_;
    KeyType type_ = KeyType::ec;
    std::shared_ptr<const Key> key_;
    Purpose purpose_ = Purpose::sign;
    int padding_;
    int saltLength_;
    std::optional<Hash> hash_;
    std::optional<Hash> mgf1Hash_;
    MdContext digest_;
};

}  // namespace hal::provider
