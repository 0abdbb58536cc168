#include "tests/integration/provider/openssl_service.h"

#include <functional>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

namespace provider_test {
namespace {

void require(bool done, const std::string& what) {
    if (!done) throw std::runtime_error(what + ": " + takeErrors());
}

std::string written(const std::function<int(BIO*)>& write) {
    const hal::Bio bio(BIO_new(BIO_s_mem()));
    require(write(bio.get()) == 1, "writing PEM");
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

bool choosePadding(EVP_PKEY_CTX* context, const SignatureOptions& options) {
    return !options.pss || (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
                            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0);
}

const unsigned char* bytes(const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

OpensslService::OpensslService(const Providers& providers) : library_(OSSL_LIB_CTX_new()) {
    OSSL_PROVIDER_set_default_search_path(library(), CERTMGR_PROVIDER_FOLDER);
    for (const std::string& name : providers) {
        providers_.emplace_back(OSSL_PROVIDER_load(library(), name.c_str()));
        require(providers_.back() != nullptr, "provider " + name);
    }
}

hal::Pkey OpensslService::load(const std::string& pem) const {
    const hal::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return hal::Pkey(PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, nullptr, nullptr, library(), nullptr));
}

hal::Pkey OpensslService::makeFileKey(const std::string& type) const {
    hal::Pkey key(type == "EC" ? EVP_PKEY_Q_keygen(library(), "provider=default", "EC", "P-256")
                               : EVP_PKEY_Q_keygen(library(), "provider=default", "RSA", std::size_t{2048}));
    require(key != nullptr, "making a file key");
    return key;
}

std::string keeper(const hal::Pkey& key) {
    return OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key.get()));
}

std::string takeErrors() {
    const hal::Bio bio(BIO_new(BIO_s_mem()));
    ERR_print_errors(bio.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

Octets sign(const OpensslService& service, const hal::Pkey& key, const std::string& message,
            const SignatureOptions& options) {
    const hal::MdContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* keyContext = nullptr;
    std::size_t size = 0;
    if (EVP_DigestSignInit_ex(context.get(), &keyContext, options.digest.c_str(), service.library(), nullptr,
                              key.get(), nullptr) <= 0 ||
        !choosePadding(keyContext, options) ||
        EVP_DigestSign(context.get(), nullptr, &size, bytes(message), message.size()) <= 0)
        return {};
    Octets signature(size);
    if (EVP_DigestSign(context.get(), signature.data(), &size, bytes(message), message.size()) <= 0)
        return {};
    signature.resize(size);
    return signature;
}

bool verify(const OpensslService& service, const hal::Pkey& key, const std::string& message,
            const Octets& signature, const SignatureOptions& options) {
    const hal::MdContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* keyContext = nullptr;
    return EVP_DigestVerifyInit_ex(context.get(), &keyContext, options.digest.c_str(), service.library(),
                                   nullptr, key.get(), nullptr) > 0 &&
           choosePadding(keyContext, options) &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes(message),
                            message.size()) == 1;
}

hal::Pkey publicHalf(const hal::Pkey& key) {
    const std::string pem = writePublicKey(key);
    const hal::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return hal::Pkey(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
}

std::string selfSigned(const OpensslService& service, const hal::Pkey& key, const std::string& name) {
    const hal::X509Ptr certificate(X509_new_ex(service.library(), nullptr));
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC, bytes(name), -1,
                               -1, 0);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    const hal::ExtensionPtr names(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str()));
    require(X509_add_ext(certificate.get(), names.get(), -1) == 1, "adding the name");
    require(X509_set_pubkey(certificate.get(), key.get()) == 1, "setting the key");
    require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "signing the certificate");
    return written([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
}

std::string writePrivateKey(const hal::Pkey& key) {
    return written([&](BIO* bio) {
        return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
}

std::string writePublicKey(const hal::Pkey& key) {
    return written([&](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key.get()); });
}

}  // namespace provider_test
