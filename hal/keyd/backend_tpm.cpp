#include "hal/keyd/backend_tpm.h"

#include "hal/error.h"
#include "hal/keyd/rsa_padding.h"
#include "hal/keyd/software_key.h"

namespace hal::keyd {
namespace {

class TpmSigningKey final : public SigningKey {
  public:
    TpmSigningKey(Tpm& tpm, TpmObject object, const Bytes& publicKey)
        : tpm_(tpm), object_(std::move(object)) {
        const unsigned char* position = publicKey.data();
        const Pkey key(d2i_PUBKEY(nullptr, &position, static_cast<long>(publicKey.size())));
        if (!key)
            throw Error(ErrorKind::internal, "key-damaged", "the public key in the key file cannot be read");
        if (EVP_PKEY_is_a(key.get(), "RSA"))
            modulusBits_ = static_cast<std::size_t>(EVP_PKEY_get_bits(key.get()));
    }

    Bytes sign(SignatureScheme scheme, Hash hash, std::span<const std::uint8_t> digest) const override {
        const bool rsa = modulusBits_ != 0;
        if (scheme == SignatureScheme::ed25519 || rsa == (scheme == SignatureScheme::ecdsa))
            throw notSupported(std::string("an ") + (rsa ? "RSA" : "EC") +
                               " key has no such signature scheme");
        if (!rsa) return tpm_.signEcdsa(object_, digest);
        return tpm_.rsaPrivate(object_, scheme == SignatureScheme::rsaPss
                                            ? emsaPss(hash, digest, modulusBits_)
                                            : emsaPkcs1(hash, digest, modulusBits_));
    }

  private:
    Tpm& tpm_;
    TpmObject object_;
    std::size_t modulusBits_ = 0;  // 0: an EC key
};

}  // namespace

KeyMaterial TpmBackend::make(const KeyId&, KeyAlgorithm algorithm) {
    const TpmKey key = tpm_.makeKey(algorithm);
    return {key.publicKey, encode(key.object), nullptr};
}

KeyMaterial TpmBackend::import(const KeyId&, Pkey) {
    throw Error(ErrorKind::rejected, "not-importable",
                "a key from outside cannot become a TPM key: ask for policy sealed, file or prefer-tpm");
}

std::unique_ptr<SigningKey> TpmBackend::load(const KeyId&, const KeyMaterial& material) {
    return std::make_unique<TpmSigningKey>(tpm_, tpmObjectFrom(material.stored), material.publicKey);
}

SecretBytes TpmBackend::release(const KeyId&, const KeyMaterial&) {
    throw Error(
        ErrorKind::rejected, "not-releasable",
        "a TPM key never leaves the TPM: reissue with policy file for a service that needs the key itself");
}

}  // namespace hal::keyd
