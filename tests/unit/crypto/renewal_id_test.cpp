#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "certmgr/crypto/openssl.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {
namespace {

X509Ptr certificateWith(const std::string& issuerKeyId, unsigned long serial) {
    const hal::Pkey key(EVP_EC_gen("P-256"));
    X509Ptr certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    if (!issuerKeyId.empty()) {
        const AuthorityKeyIdPtr identifier(AUTHORITY_KEYID_new());
        identifier->keyid = ASN1_OCTET_STRING_new();
        ASN1_OCTET_STRING_set(identifier->keyid, reinterpret_cast<const unsigned char*>(issuerKeyId.data()),
                              static_cast<int>(issuerKeyId.size()));
        X509_add1_ext_i2d(certificate.get(), NID_authority_key_identifier, identifier.get(), 0,
                          X509V3_ADD_DEFAULT);
    }
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    return certificate;
}

TEST(RenewalId, IsThatOfTheRfc) {
    // RFC 9773 4.1
    const std::string keyId =
        "\x69\x88\x5b\x6b\x87\x46\x40\x41\xe1\xb3\x7b\x84\x7b\xa0\xae\x2c\xde\x01\xc8\xd4";
    EXPECT_EQ(renewalIdOf(toPem(*certificateWith(keyId, 0x87654321))), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

TEST(RenewalId, IsAbsentWhereTheIssuersKeyIsNotNamed) {
    EXPECT_FALSE(renewalIdOf(toPem(*certificateWith("", 1))));
}

}  // namespace
}  // namespace certmgr::crypto
