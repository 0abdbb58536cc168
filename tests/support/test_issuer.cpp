#include "tests/support/test_issuer.h"

#include <array>
#include <stdexcept>

#include <openssl/pem.h>
#include <openssl/rand.h>

namespace testing_support {
namespace {

using hal::Bio;
using hal::Pkey;
using hal::X509Ptr;

void require(bool done) {
    if (!done) throw std::runtime_error("OpenSSL failed in the test's issuer");
}

std::string drain(BIO* bio) {
    std::string text;
    std::array<char, 4096> block;
    for (int size; (size = BIO_read(bio, block.data(), static_cast<int>(block.size()))) > 0;)
        text.append(block.data(), static_cast<std::size_t>(size));
    return text;
}

std::string pem(X509& certificate) {
    const Bio bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_X509(bio.get(), &certificate) == 1);
    return drain(bio.get());
}

std::string pem(EVP_PKEY& key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return drain(bio.get());
}

hal::Bytes publicKey(EVP_PKEY& key) {
    hal::Bytes der(static_cast<std::size_t>(i2d_PUBKEY(&key, nullptr)));
    unsigned char* end = der.data();
    require(i2d_PUBKEY(&key, &end) > 0);
    return der;
}

void extend(X509& certificate, int nid, const std::string& value) {
    const hal::ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
    require(extension && X509_add_ext(&certificate, extension.get(), -1) == 1);
}

X509Ptr sign(const std::string& subject, EVP_PKEY& subjectKey, int extension, const std::string& value,
             X509* issuer, EVP_PKEY& issuerKey) {
    X509Ptr certificate(X509_new());
    std::array<unsigned char, 8> serial{};
    require(RAND_bytes(serial.data(), serial.size()) == 1);
    const hal::BigNumber number(BN_bin2bn(serial.data(), serial.size(), nullptr));
    require(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get())) != nullptr);
    X509_set_version(certificate.get(), X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400);
    const hal::X509NamePtr name(X509_NAME_new());
    require(X509_NAME_add_entry_by_txt(name.get(), "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1,
                                       0) == 1);
    X509_set_subject_name(certificate.get(), name.get());
    X509_set_issuer_name(certificate.get(), issuer ? X509_get_subject_name(issuer) : name.get());
    X509_set_pubkey(certificate.get(), &subjectKey);
    extend(*certificate, extension, value);
    require(X509_sign(certificate.get(), &issuerKey, EVP_sha256()) > 0);
    return certificate;
}

}  // namespace

TestIssuer::TestIssuer() : rootKey_(EVP_EC_gen("P-256")), key_(EVP_EC_gen("P-256")) {
    root_ = sign("test root", *rootKey_, NID_basic_constraints, "critical,CA:TRUE", nullptr, *rootKey_);
    intermediate_ =
        sign("test intermediate", *key_, NID_basic_constraints, "critical,CA:TRUE", root_.get(), *rootKey_);
}

certmgr::deploy::Item TestIssuer::issue(const std::string& name, std::int64_t generation) const {
    const Pkey key(EVP_EC_gen("P-256"));
    const X509Ptr leaf = sign(name, *key, NID_subject_alt_name, "DNS:" + name, intermediate_.get(), *key_);
    certmgr::deploy::Item item;
    item.credential.generation = generation;
    item.credential.certificate = name;
    item.credential.key = hal::KeyId::fresh();
    item.credential.chainPem = pem(*leaf) + pem(*intermediate_);
    item.credential.leaf.names = {{certmgr::Identifier::Type::dns, name}};
    item.keyReferencePem = pem(*key);
    item.subjectPublicKeyInfo = publicKey(*key);
    return item;
}

std::string fingerprint(const std::string& certificatePem) {
    const Bio bio(BIO_new_mem_buf(certificatePem.data(), static_cast<int>(certificatePem.size())));
    const X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    require(certificate != nullptr);
    std::array<unsigned char, 32> digest{};
    require(X509_digest(certificate.get(), EVP_sha256(), digest.data(), nullptr) == 1);
    std::string text;
    for (const unsigned char octet : digest) {
        text += "0123456789abcdef"[octet >> 4];
        text += "0123456789abcdef"[octet & 15];
    }
    return text;
}

bool pairMatches(const std::string& certificatePem, const std::string& keyPem) {
    const Bio certificateBio(BIO_new_mem_buf(certificatePem.data(), static_cast<int>(certificatePem.size())));
    const Bio keyBio(BIO_new_mem_buf(keyPem.data(), static_cast<int>(keyPem.size())));
    const X509Ptr certificate(PEM_read_bio_X509(certificateBio.get(), nullptr, nullptr, nullptr));
    const Pkey key(PEM_read_bio_PrivateKey(keyBio.get(), nullptr, nullptr, nullptr));
    return certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
}

}  // namespace testing_support
