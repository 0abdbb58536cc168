#include "certmgr/crypto/decryption.h"

#include <openssl/evp.h>
#include <openssl/pkcs12.h>

#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {
namespace {

// "PBE-SHA1-RC2-40", and for PBES2 the cipher in it.
std::string schemeName(const X509_ALGOR& encryption) {
    const auto nameOf = [](const ASN1_OBJECT* object) {
        char text[80] = "";
        OBJ_obj2txt(text, sizeof text, object, 0);
        return std::string(text);
    };
    if (OBJ_obj2nid(encryption.algorithm) != NID_pbes2) return nameOf(encryption.algorithm);
    const hal::Handle<PBE2PARAM, PBE2PARAM_free> scheme(
        static_cast<PBE2PARAM*>(ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), encryption.parameter)));
    return scheme ? nameOf(scheme->encryption->algorithm) + " (PBES2)" : "PBES2 without parameters";
}

bool notSupported(unsigned long reason) {
    switch (ERR_GET_REASON(reason)) {
        case ERR_R_UNSUPPORTED:
        case EVP_R_UNSUPPORTED_ALGORITHM:
        case EVP_R_UNKNOWN_PBE_ALGORITHM:
        case EVP_R_UNKNOWN_CIPHER:
        case EVP_R_UNKNOWN_DIGEST:
        case EVP_R_UNSUPPORTED_CIPHER:
        case EVP_R_UNSUPPORTED_PRF:
        case EVP_R_UNSUPPORTED_KEY_DERIVATION_FUNCTION:
            return true;
        default:
            return false;
    }
}

// Anywhere in the queue: what is on top only says that something below went wrong.
bool takeNotSupported() {
    bool found = false;
    while (const unsigned long reason = ERR_get_error()) found = found || notSupported(reason);
    return found;
}

}  // namespace

Decryption::Decryption(std::optional<std::string_view> passphrase)
    : context_(check(OSSL_LIB_CTX_new(), "OSSL_LIB_CTX_new")),
      default_(check(OSSL_PROVIDER_load(context_.get(), "default"), "OSSL_PROVIDER_load")),
      legacy_(OSSL_PROVIDER_load(context_.get(), "legacy")),
      passphrase_(passphrase) {
    ERR_clear_error();
}

Pkcs8Ptr Decryption::open(const X509_SIG& encrypted) {
    const X509_ALGOR* encryption = nullptr;
    X509_SIG_get0(&encrypted, &encryption, nullptr);
    if (!passphrase_) throw passphraseError("the private key");
    budget_.spend(*encryption);
    Pkcs8Ptr key(PKCS8_decrypt_ex(&encrypted, passphrase_->data(), static_cast<int>(passphrase_->size()),
                                  context_.get(), nullptr));
    if (!key) throw failure(*encryption);
    return key;
}

Error Decryption::failure(const X509_ALGOR& encryption) const {
    if (!takeNotSupported()) return passphraseError("it");
    std::string message = "it is encrypted with " + schemeName(encryption) + ", which ";
    message += legacy_ ? "OpenSSL does not know here"
                       : "needs OpenSSL's legacy provider, and that cannot be loaded on this box";
    return Error(
        ErrorKind::rejected, "encryption-not-supported",
        message + ": write the file anew with AES-256 (openssl pkcs12 -export, or openssl pkcs8 -topk8)");
}

Error Decryption::passphraseError(std::string_view what) const {
    if (passphrase_)
        return Error(ErrorKind::rejected, "wrong-passphrase",
                     std::string(what) +
                         " cannot be decrypted with this passphrase: give the one that it was "
                         "encrypted with, or get the file again if it is damaged");
    return Error(ErrorKind::rejected, "passphrase-needed",
                 std::string(what) + " is encrypted: give its passphrase (certmgrctl upload --passphrase)");
}

}  // namespace certmgr::crypto
