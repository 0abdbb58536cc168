#include "certmgr/crypto/x509_fields.h"

#include <array>

#include <arpa/inet.h>
#include <openssl/rand.h>

#include "certmgr/core/error.h"

namespace certmgr::crypto {
namespace {

int generalNameType(AlternativeName::Type type) {
    switch (type) {
        case AlternativeName::Type::dns:
            return GEN_DNS;
        case AlternativeName::Type::ip:
            return GEN_IPADD;
        case AlternativeName::Type::email:
            return GEN_EMAIL;
        case AlternativeName::Type::uri:
            break;
    }
    return GEN_URI;
}

std::string addressOctets(const std::string& text) {
    std::array<std::uint8_t, 16> octets{};
    const bool v4 = inet_pton(AF_INET, text.c_str(), octets.data()) == 1;
    if (!v4 && inet_pton(AF_INET6, text.c_str(), octets.data()) != 1)
        throw Error(ErrorKind::rejected, "bad-name", "\"" + text + "\" is no IP address");
    return {octets.begin(), octets.begin() + (v4 ? 4 : 16)};
}

hal::Handle<GENERAL_NAME, GENERAL_NAME_free> generalName(const AlternativeName& name) {
    hal::Handle<GENERAL_NAME, GENERAL_NAME_free> result(check(GENERAL_NAME_new(), "GENERAL_NAME_new"));
    const bool ip = name.type == AlternativeName::Type::ip;
    const std::string value = ip ? addressOctets(name.value) : name.value;
    ASN1_STRING* string =
        check(ASN1_STRING_type_new(ip ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING), "ASN1_STRING_type_new");
    GENERAL_NAME_set0_value(result.get(), generalNameType(name.type), string);
    check(ASN1_STRING_set(string, value.data(), static_cast<int>(value.size())), "ASN1_STRING_set");
    return result;
}

// RFC 7093 2, method 1: the leftmost 160 bits of SHA-256 over the subjectPublicKey.
OctetStringPtr keyIdentifier(const X509& certificate) {
    std::array<std::uint8_t, 32> digest{};
    check(X509_pubkey_digest(&certificate, EVP_sha256(), digest.data(), nullptr), "X509_pubkey_digest");
    OctetStringPtr id(check(ASN1_OCTET_STRING_new(), "ASN1_OCTET_STRING_new"));
    check(ASN1_OCTET_STRING_set(id.get(), digest.data(), 20), "ASN1_OCTET_STRING_set");
    return id;
}

void setSerial(X509& certificate) {
    std::array<std::uint8_t, 20> octets{};
    check(RAND_bytes(octets.data(), octets.size()), "RAND_bytes");
    octets[0] &= 0x7f;  // RFC 5280 4.1.2.2: positive, and at most 20 octets as DER
    const hal::BigNumber number(check(BN_bin2bn(octets.data(), octets.size(), nullptr), "BN_bin2bn"));
    check(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)), "BN_to_ASN1_INTEGER");
}

// ASN1_TIME_set keeps to RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050 on.
void setValidity(X509& certificate, TimePoint notBefore, TimePoint notAfter) {
    if (notAfter < notBefore)
        throw Error(ErrorKind::internal, "bad-validity",
                    "a certificate was asked for that ends (" + formatTime(notAfter) +
                        ") before it begins (" + formatTime(notBefore) + ")");
    check(ASN1_TIME_set(X509_getm_notBefore(&certificate), notBefore.time_since_epoch().count()),
          "ASN1_TIME_set");
    check(ASN1_TIME_set(X509_getm_notAfter(&certificate), notAfter.time_since_epoch().count()),
          "ASN1_TIME_set");
}

[[noreturn]] void throwBadKey() {
    throw Error(ErrorKind::rejected, "bad-key",
                "the public key does not parse (" + takeReason() + "): expected a DER SubjectPublicKeyInfo");
}

}  // namespace

const EVP_MD* digestFor(const EVP_PKEY& key) {
    if (EVP_PKEY_is_a(&key, "ED25519")) return nullptr;  // RFC 8032: it has a hash of its own
    return EVP_PKEY_is_a(&key, "EC") && EVP_PKEY_get_bits(&key) == 384 ? EVP_sha384() : EVP_sha256();
}

hal::ExtensionPtr alternativeNames(const std::vector<AlternativeName>& names, bool critical) {
    const GeneralNamesPtr list(check(GENERAL_NAMES_new(), "GENERAL_NAMES_new"));
    for (const AlternativeName& alternative : names) {
        auto name = generalName(alternative);
        check(sk_GENERAL_NAME_push(list.get(), name.get()), "sk_GENERAL_NAME_push");
        static_cast<void>(name.release());  // the list owns it now
    }
    return hal::ExtensionPtr(
        check(X509V3_EXT_i2d(NID_subject_alt_name, critical, list.get()), "X509V3_EXT_i2d"));
}

BitStringPtr keyUsage(std::initializer_list<KeyUsageBit> bits) {
    BitStringPtr usage(check(ASN1_BIT_STRING_new(), "ASN1_BIT_STRING_new"));
    for (const KeyUsageBit bit : bits)
        check(ASN1_BIT_STRING_set_bit(usage.get(), bit, 1), "ASN1_BIT_STRING_set_bit");
    return usage;
}

BasicConstraintsPtr basicConstraints(bool ca, std::optional<int> pathLength) {
    BasicConstraintsPtr constraints(check(BASIC_CONSTRAINTS_new(), "BASIC_CONSTRAINTS_new"));
    constraints->ca = ca ? 0xff : 0;
    if (pathLength) {
        constraints->pathlen = check(ASN1_INTEGER_new(), "ASN1_INTEGER_new");
        check(ASN1_INTEGER_set(constraints->pathlen, *pathLength), "ASN1_INTEGER_set");
    }
    return constraints;
}

AuthorityKeyIdPtr authorityKeyId(const X509& issuer) {
    AuthorityKeyIdPtr id(check(AUTHORITY_KEYID_new(), "AUTHORITY_KEYID_new"));
    const ASN1_OCTET_STRING* own = X509_get0_subject_key_id(cached(issuer));
    id->keyid =
        own ? check(ASN1_OCTET_STRING_dup(own), "ASN1_OCTET_STRING_dup") : keyIdentifier(issuer).release();
    return id;
}

void addExtension(X509& certificate, int nid, bool critical, void* value) {
    check(X509_add1_ext_i2d(&certificate, nid, value, critical, X509V3_ADD_DEFAULT), "X509_add1_ext_i2d");
}

void addExtendedKeyUsage(X509& certificate, int purposeNid) {
    const ExtendedKeyUsagePtr usage(check(EXTENDED_KEY_USAGE_new(), "EXTENDED_KEY_USAGE_new"));
    check(sk_ASN1_OBJECT_push(usage.get(), OBJ_nid2obj(purposeNid)), "sk_ASN1_OBJECT_push");
    addExtension(certificate, NID_ext_key_usage, false, usage.get());
}

void addSubjectKeyId(X509& certificate) {
    addExtension(certificate, NID_subject_key_identifier, false, keyIdentifier(certificate).get());
}

Bytes publicKeyInfoOf(EVP_PKEY& key) {
    return derOf(key, i2d_PUBKEY, "i2d_PUBKEY");
}

void setKeyInfo(X509_PUBKEY& target, std::span<const std::uint8_t> der) {
    const unsigned char* at = der.data();
    const unsigned char* const end = der.data() + der.size();
    long size = 0;
    int tag = 0;
    int tagClass = 0;
    const int read = ASN1_get_object(&at, &size, &tag, &tagClass, static_cast<long>(der.size()));
    if ((read & ~V_ASN1_CONSTRUCTED) != 0 || tag != V_ASN1_SEQUENCE || at + size != end) throwBadKey();
    const AlgorithmPtr algorithm(d2i_X509_ALGOR(nullptr, &at, end - at));
    const BitStringPtr key(algorithm ? d2i_ASN1_BIT_STRING(nullptr, &at, end - at) : nullptr);
    if (!key || at != end) throwBadKey();
    const auto length = static_cast<std::size_t>(ASN1_STRING_length(key.get()));
    auto* octets = static_cast<unsigned char*>(
        check(OPENSSL_memdup(ASN1_STRING_get0_data(key.get()), length), "malloc"));
    check(X509_PUBKEY_set0_param(&target, OBJ_nid2obj(NID_undef), V_ASN1_UNDEF, nullptr, octets,
                                 static_cast<int>(length)),
          "X509_PUBKEY_set0_param");
    X509_ALGOR* own = nullptr;
    X509_PUBKEY_get0_param(nullptr, nullptr, nullptr, &own, &target);
    check(X509_ALGOR_copy(own, algorithm.get()), "X509_ALGOR_copy");
}

void setKey(X509& certificate, std::span<const std::uint8_t> subjectPublicKeyInfoDer) {
    const unsigned char* end = subjectPublicKeyInfoDer.data();
    const hal::Pkey key(d2i_PUBKEY(nullptr, &end, static_cast<long>(subjectPublicKeyInfoDer.size())));
    if (!key || end != subjectPublicKeyInfoDer.data() + subjectPublicKeyInfoDer.size()) throwBadKey();
    check(X509_set_pubkey(&certificate, key.get()), "X509_set_pubkey");
}

hal::X509Ptr beginCertificate(const X509_NAME& subject, const X509_NAME& issuer, TimePoint notBefore,
                              TimePoint notAfter) {
    hal::X509Ptr certificate(check(X509_new(), "X509_new"));
    check(X509_set_version(certificate.get(), X509_VERSION_3), "X509_set_version");
    setSerial(*certificate);
    check(X509_set_subject_name(certificate.get(), &subject), "X509_set_subject_name");
    check(X509_set_issuer_name(certificate.get(), &issuer), "X509_set_issuer_name");
    setValidity(*certificate, notBefore, notAfter);
    return certificate;
}

void signCertificate(X509& certificate, const X509& issuer, EVP_PKEY& issuerKey) {
    check(X509_sign(&certificate, &issuerKey, digestFor(issuerKey)), "X509_sign");
    if (X509_verify(&certificate, X509_get0_pubkey(&issuer)) == 1) return;
    throw Error(ErrorKind::internal, "bad-signature",
                "the signature on " + subjectOf(certificate) +
                    " is not by the key in the issuer's certificate " + subjectOf(issuer) + " (" +
                    takeReason() + "): the key store used another key");
}

}  // namespace certmgr::crypto
