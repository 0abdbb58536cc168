#include "certmgr/crypto/crl.h"

#include <openssl/pem.h>

#include "certmgr/crypto/x509_fields.h"

namespace certmgr::crypto {
namespace {

using CrlPtr = hal::Handle<X509_CRL, X509_CRL_free>;
using RevokedPtr = hal::Handle<X509_REVOKED, X509_REVOKED_free>;
using TimePtr = hal::Handle<ASN1_TIME, ASN1_TIME_free>;
using IntegerPtr = hal::Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using EnumeratedPtr = hal::Handle<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;

// RFC 5280 5.1.2.4 to 5.1.2.6: UTCTime until 2049, GeneralizedTime from then on, as ASN1_TIME_set does it.
TimePtr timeOf(TimePoint time) {
    return TimePtr(check(ASN1_TIME_set(nullptr, time.time_since_epoch().count()), "ASN1_TIME_set"));
}

IntegerPtr serialOf(const std::string& hex) {
    BIGNUM* number = nullptr;
    check(BN_hex2bn(&number, hex.c_str()), "BN_hex2bn");
    const hal::BigNumber owner(number);
    return IntegerPtr(check(BN_to_ASN1_INTEGER(number, nullptr), "BN_to_ASN1_INTEGER"));
}

RevokedPtr entryOf(const RevokedCertificate& certificate) {
    RevokedPtr entry(check(X509_REVOKED_new(), "X509_REVOKED_new"));
    check(X509_REVOKED_set_serialNumber(entry.get(), serialOf(certificate.serial).get()),
          "X509_REVOKED_set_serialNumber");
    check(X509_REVOKED_set_revocationDate(entry.get(), timeOf(certificate.revocation.when).get()),
          "X509_REVOKED_set_revocationDate");
    // RFC 5280 5.3.1: "the reason code CRL entry extension SHOULD be absent instead of using the unspecified
    // (0) reasonCode value."
    if (certificate.revocation.reason == RevocationReason::unspecified) return entry;
    const EnumeratedPtr reason(check(ASN1_ENUMERATED_new(), "ASN1_ENUMERATED_new"));
    check(ASN1_ENUMERATED_set(reason.get(), static_cast<long>(certificate.revocation.reason)),
          "ASN1_ENUMERATED_set");
    check(X509_REVOKED_add1_ext_i2d(entry.get(), NID_crl_reason, reason.get(), 0, X509V3_ADD_DEFAULT),
          "X509_REVOKED_add1_ext_i2d");
    return entry;
}

void addExtensions(X509_CRL& crl, std::int64_t number, const X509& issuer) {
    const IntegerPtr value(check(ASN1_INTEGER_new(), "ASN1_INTEGER_new"));
    check(ASN1_INTEGER_set_int64(value.get(), number), "ASN1_INTEGER_set_int64");
    check(X509_CRL_add1_ext_i2d(&crl, NID_authority_key_identifier, authorityKeyId(issuer).get(), 0,
                                X509V3_ADD_DEFAULT),
          "X509_CRL_add1_ext_i2d");
    check(X509_CRL_add1_ext_i2d(&crl, NID_crl_number, value.get(), 0, X509V3_ADD_DEFAULT),
          "X509_CRL_add1_ext_i2d");
}

}  // namespace

Bytes buildCrl(const CrlTemplate& list, const X509& issuer, EVP_PKEY& issuerKey) {
    const CrlPtr crl(check(X509_CRL_new(), "X509_CRL_new"));
    check(X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2), "X509_CRL_set_version");
    check(X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(&issuer)), "X509_CRL_set_issuer_name");
    check(X509_CRL_set1_lastUpdate(crl.get(), timeOf(list.thisUpdate).get()), "X509_CRL_set1_lastUpdate");
    check(X509_CRL_set1_nextUpdate(crl.get(), timeOf(list.nextUpdate).get()), "X509_CRL_set1_nextUpdate");
    for (const RevokedCertificate& certificate : list.revoked) {
        RevokedPtr entry = entryOf(certificate);
        check(X509_CRL_add0_revoked(crl.get(), entry.get()), "X509_CRL_add0_revoked");
        static_cast<void>(entry.release());  // the list owns it now
    }
    addExtensions(*crl, list.number, issuer);
    check(X509_CRL_sort(crl.get()), "X509_CRL_sort");
    check(X509_CRL_sign(crl.get(), &issuerKey, digestFor(issuerKey)), "X509_CRL_sign");
    if (X509_CRL_verify(crl.get(), X509_get0_pubkey(&issuer)) != 1)
        throw Error(ErrorKind::internal, "bad-signature",
                    "the signature on the CRL is not by the key in the certificate of " + subjectOf(issuer) +
                        " (" + takeReason() + "): the key store used another key");
    return derOf(*crl, i2d_X509_CRL, "i2d_X509_CRL");
}

std::string crlToPem(const Bytes& der) {
    const unsigned char* end = der.data();
    const CrlPtr crl(check(d2i_X509_CRL(nullptr, &end, static_cast<long>(der.size())), "d2i_X509_CRL"));
    const hal::Bio bio(check(BIO_new(BIO_s_mem()), "BIO_new"));
    check(PEM_write_bio_X509_CRL(bio.get(), crl.get()), "PEM_write_bio_X509_CRL");
    return std::string(writtenTo(*bio));
}

Bytes crlToDer(const std::string& pem) {
    const hal::Bio bio(check(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), "BIO_new_mem_buf"));
    unsigned char* data = nullptr;
    long size = 0;
    check(PEM_bytes_read_bio(&data, &size, nullptr, PEM_STRING_X509_CRL, bio.get(), nullptr, nullptr),
          "PEM_bytes_read_bio");
    Bytes der(data, data + size);
    OPENSSL_free(data);
    return der;
}

}  // namespace certmgr::crypto
