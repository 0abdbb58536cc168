#include "hal/keyd/software_key.h"

#include <array>
#include <string>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "hal/error.h"

namespace hal::keyd {
namespace {

using Pkcs8 = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

// OpenSSL's own reason goes into the sentence; its queue is left empty for the next call of this thread.
std::string opensslReason() {
    const unsigned long code = ERR_peek_last_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    ERR_clear_error();
    return reason ? reason : "no reason given";
}

Error badKey(const std::string& found) {
    ERR_clear_error();
    return Error(
        ErrorKind::rejected, "bad-key",
        found +
            "; expected one unencrypted private key: RSA of 2048, 3072 or 4096 bits, P-256, P-384 or "
            "Ed25519");
}

// A PEM block as PEM_read_bio hands it out; its content is wiped.
struct PemBlock {
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    PemBlock() = default;
    PemBlock(const PemBlock&) = delete;
    PemBlock& operator=(const PemBlock&) = delete;
    ~PemBlock() {
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, static_cast<std::size_t>(size));
    }
};

Pkey keyFromBlock(const PemBlock& block) {
    const std::string_view label = block.label;
    if (label == "ENCRYPTED PRIVATE KEY" ||
        std::string_view(block.header).find("ENCRYPTED") != std::string_view::npos)
        throw badKey("the private key is encrypted");
    if (label == "PRIVATE KEY") return keyFromPrivateDer({block.data, static_cast<std::size_t>(block.size)});
    const unsigned char* position = block.data;
    const int type = label == "RSA PRIVATE KEY" ? EVP_PKEY_RSA : EVP_PKEY_EC;
    Pkey key(d2i_PrivateKey(type, nullptr, &position, block.size));
    if (!key) throw badKey("the PEM block \"" + std::string(label) + "\" holds no such key");
    return key;
}

bool holdsPrivateKey(std::string_view label) {
    return label.ends_with("PRIVATE KEY");
}

void setScheme(EVP_PKEY_CTX* context, const EVP_PKEY* key, SignatureScheme scheme) {
    const bool rsa = EVP_PKEY_is_a(key, "RSA") == 1;
    if (scheme == SignatureScheme::ed25519 || rsa == (scheme == SignatureScheme::ecdsa))
        throw notSupported(std::string("an ") + (rsa ? "RSA" : "EC") + " key has no such signature scheme");
    if (!rsa) return;
    const int padding = scheme == SignatureScheme::rsaPss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    require(EVP_PKEY_CTX_set_rsa_padding(context, padding) > 0, "EVP_PKEY_CTX_set_rsa_padding");
    if (scheme == SignatureScheme::rsaPss)
        require(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0,
                "EVP_PKEY_CTX_set_rsa_pss_saltlen");
}

bool isEd25519(const Pkey& key) {
    return EVP_PKEY_is_a(key.get(), "ED25519") == 1;
}

Bytes signMessage(const Pkey& key, std::span<const std::uint8_t> message) {
    const MdContext context(EVP_MD_CTX_new());
    require(context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) > 0,
            "EVP_DigestSignInit");
    Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
    std::size_t size = signature.size();
    require(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) > 0,
            "EVP_DigestSign");
    signature.resize(size);
    return signature;
}

}  // namespace

void require(bool succeeded, const char* call) {
    if (!succeeded)
        throw Error(ErrorKind::internal, "openssl-failed", std::string(call) + " failed: " + opensslReason());
}

Error notSupported(const std::string& found) {
    return Error(ErrorKind::rejected, "not-supported",
                 found + "; ask for another algorithm, scheme or digest");
}

const EVP_MD* digestOf(Hash hash) noexcept {
    switch (hash) {
        case Hash::sha256:
            return EVP_sha256();
        case Hash::sha384:
            return EVP_sha384();
        case Hash::sha512:
            return EVP_sha512();
    }
    return nullptr;
}

std::size_t digestLength(Hash hash) noexcept {
    return static_cast<std::size_t>(EVP_MD_get_size(digestOf(hash)));
}

void checkDigest(SignatureScheme scheme, Hash hash, std::size_t size) {
    if (scheme != SignatureScheme::ed25519 && size != digestLength(hash))
        throw notSupported("a digest of " + std::to_string(size) +
                           " bytes is not one of the hash that was named");
}

Pkey generateKey(KeyAlgorithm algorithm) {
    EVP_PKEY* key = nullptr;
    switch (algorithm) {
        case KeyAlgorithm::ecP256:
            key = EVP_EC_gen("P-256");
            break;
        case KeyAlgorithm::ecP384:
            key = EVP_EC_gen("P-384");
            break;
        case KeyAlgorithm::rsa2048:
            key = EVP_RSA_gen(2048);
            break;
        case KeyAlgorithm::rsa3072:
            key = EVP_RSA_gen(3072);
            break;
        case KeyAlgorithm::rsa4096:
            key = EVP_RSA_gen(4096);
            break;
        case KeyAlgorithm::ed25519:
            throw notSupported("an Ed25519 key is taken from outside, and not made");
    }
    require(key, "EVP_PKEY_Q_keygen");
    return Pkey(key);
}

Pkey keyFromPem(std::string_view pem) {
    ERR_clear_error();
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    require(static_cast<bool>(bio), "BIO_new_mem_buf");
    Pkey found;
    for (;;) {
        PemBlock block;
        if (PEM_read_bio(bio.get(), &block.label, &block.header, &block.data, &block.size) != 1) break;
        if (!holdsPrivateKey(block.label)) continue;
        if (found) throw badKey("the PEM text holds more than one private key");
        found = keyFromBlock(block);
    }
    const bool atEnd = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!atEnd) throw badKey("the PEM text is damaged (" + opensslReason() + ")");
    if (!found) throw badKey("the PEM text holds no private key");
    ERR_clear_error();
    return found;
}

KeyAlgorithm algorithmOf(const Pkey& key) {
    if (EVP_PKEY_is_a(key.get(), "RSA")) {
        switch (EVP_PKEY_get_bits(key.get())) {
            case 2048:
                return KeyAlgorithm::rsa2048;
            case 3072:
                return KeyAlgorithm::rsa3072;
            case 4096:
                return KeyAlgorithm::rsa4096;
            default:
                throw badKey("an RSA key of " + std::to_string(EVP_PKEY_get_bits(key.get())) + " bits");
        }
    }
    if (isEd25519(key)) return KeyAlgorithm::ed25519;
    std::array<char, 32> group{};
    if (!EVP_PKEY_is_a(key.get(), "EC") ||
        EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr) != 1)
        throw badKey("a key of another type");
    if (group.data() == std::string_view("prime256v1")) return KeyAlgorithm::ecP256;
    if (group.data() == std::string_view("secp384r1")) return KeyAlgorithm::ecP384;
    throw badKey(std::string("an EC key on the curve ") + group.data());
}

void checkConsistency(const Pkey& key) {
    const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    require(static_cast<bool>(context), "EVP_PKEY_CTX_new_from_pkey");
    if (EVP_PKEY_check(context.get()) != 1) throw badKey("a key whose numbers do not belong together");
}

Bytes publicDer(const Pkey& key) {
    Bytes der(static_cast<std::size_t>(std::max(i2d_PUBKEY(key.get(), nullptr), 0)));
    unsigned char* position = der.data();
    require(!der.empty() && i2d_PUBKEY(key.get(), &position) > 0, "i2d_PUBKEY");
    return der;
}

SecretBytes privateDer(const Pkey& key) {
    const Pkcs8 info(EVP_PKEY2PKCS8(key.get()));
    require(static_cast<bool>(info), "EVP_PKEY2PKCS8");
    SecretBytes der(static_cast<std::size_t>(std::max(i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr), 0)));
    unsigned char* position = der.data();
    require(!der.empty() && i2d_PKCS8_PRIV_KEY_INFO(info.get(), &position) > 0, "i2d_PKCS8_PRIV_KEY_INFO");
    return der;
}

Pkey keyFromPrivateDer(std::span<const std::uint8_t> der) {
    const unsigned char* position = der.data();
    const Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &position, static_cast<long>(der.size())));
    Pkey key(info ? EVP_PKCS82PKEY(info.get()) : nullptr);
    if (!key) throw badKey("the PKCS#8 structure holds no key that can be read");
    return key;
}

std::string privatePem(std::span<const std::uint8_t> pkcs8) {
    const Bio bio(BIO_new(BIO_s_secmem()));
    require(bio && PEM_write_bio(bio.get(), PEM_STRING_PKCS8INF, "", pkcs8.data(),
                                 static_cast<long>(pkcs8.size())) > 0,
            "PEM_write_bio");
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

Bytes SoftwareKey::sign(SignatureScheme scheme, Hash hash, std::span<const std::uint8_t> digest) const {
    if (isEd25519(key_)) {
        if (scheme != SignatureScheme::ed25519)
            throw notSupported("an Ed25519 key has no such signature scheme");
        return signMessage(key_, digest);
    }
    const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    require(context && EVP_PKEY_sign_init(context.get()) > 0, "EVP_PKEY_sign_init");
    setScheme(context.get(), key_.get(), scheme);
    require(EVP_PKEY_CTX_set_signature_md(context.get(), digestOf(hash)) > 0,
            "EVP_PKEY_CTX_set_signature_md");
    Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
    std::size_t size = signature.size();
    require(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) > 0,
            "EVP_PKEY_sign");
    signature.resize(size);
    return signature;
}

}  // namespace hal::keyd
