#include <algorithm>
#include <array>
#include <utility>

#include <arpa/inet.h>
#include <openssl/rand.h>

#include "certmgr/crypto/openssl.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {
namespace {

constexpr std::size_t maximumCommonName = 64;  // ub-common-name, RFC 5280 appendix A.1

const EVP_MD* digestFor(const EVP_PKEY& key) {
    return EVP_PKEY_is_a(&key, "EC") && EVP_PKEY_get_bits(&key) == 384 ? EVP_sha384() : EVP_sha256();
}

void addToName(X509_NAME* name, const char* field, const std::string& value) {
    if (X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(value.data()),
                                   static_cast<int>(value.size()), -1, 0) == 1)
        return;
    throw Error(ErrorKind::misconfigured, "bad-subject",
                std::string("\"") + value + "\" cannot stand as " + field +
                    " in a subject: expected at most 64 characters of UTF-8 (" + takeReason() + ")");
}

hal::X509NamePtr subjectFor(const std::vector<Identifier>& names, bool addressesToo) {
    hal::X509NamePtr subject(check(X509_NAME_new(), "X509_NAME_new"));
    const auto fits = [](Identifier::Type type) {
        return [type](const Identifier& name) {
            return name.type == type && name.value.size() <= maximumCommonName;
        };
    };
    auto chosen = std::find_if(names.begin(), names.end(), fits(Identifier::Type::dns));
    if (chosen == names.end() && addressesToo)
        chosen = std::find_if(names.begin(), names.end(), fits(Identifier::Type::ip));
    if (chosen != names.end()) addToName(subject.get(), "CN", chosen->value);
    return subject;
}

hal::Handle<GENERAL_NAME, GENERAL_NAME_free> generalName(const Identifier& identifier) {
    hal::Handle<GENERAL_NAME, GENERAL_NAME_free> name(check(GENERAL_NAME_new(), "GENERAL_NAME_new"));
    const bool dns = identifier.type == Identifier::Type::dns;
    std::array<std::uint8_t, 16> octets{};
    std::string value = identifier.value;
    if (!dns) {
        const bool v4 = inet_pton(AF_INET, value.c_str(), octets.data()) == 1;
        if (!v4 && inet_pton(AF_INET6, value.c_str(), octets.data()) != 1)
            throw Error(ErrorKind::rejected, "bad-name", "\"" + value + "\" is no IP address");
        value.assign(octets.begin(), octets.begin() + (v4 ? 4 : 16));
    }
    ASN1_STRING* string =
        check(ASN1_STRING_type_new(dns ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING), "ASN1_STRING_type_new");
    GENERAL_NAME_set0_value(name.get(), dns ? GEN_DNS : GEN_IPADD, string);
    check(ASN1_STRING_set(string, value.data(), static_cast<int>(value.size())), "ASN1_STRING_set");
    return name;
}

hal::ExtensionPtr alternativeNames(const std::vector<Identifier>& names, bool critical) {
    const GeneralNamesPtr list(check(GENERAL_NAMES_new(), "GENERAL_NAMES_new"));
    for (const Identifier& identifier : names) {
        auto name = generalName(identifier);
        check(sk_GENERAL_NAME_push(list.get(), name.get()), "sk_GENERAL_NAME_push");
        static_cast<void>(name.release());  // the list owns it now
    }
    return hal::ExtensionPtr(
        check(X509V3_EXT_i2d(NID_subject_alt_name, critical, list.get()), "X509V3_EXT_i2d"));
}

void add(X509& certificate, int nid, bool critical, void* value) {
    check(X509_add1_ext_i2d(&certificate, nid, value, critical, X509V3_ADD_DEFAULT), "X509_add1_ext_i2d");
}

void addBasicConstraints(X509& certificate, bool ca, std::optional<int> pathLength) {
    const BasicConstraintsPtr constraints(check(BASIC_CONSTRAINTS_new(), "BASIC_CONSTRAINTS_new"));
    constraints->ca = ca ? 0xff : 0;
    if (pathLength) {
        constraints->pathlen = check(ASN1_INTEGER_new(), "ASN1_INTEGER_new");
        check(ASN1_INTEGER_set(constraints->pathlen, *pathLength), "ASN1_INTEGER_set");
    }
    add(certificate, NID_basic_constraints, true, constraints.get());
}

// Bit numbers of RFC 5280 4.2.1.3.
enum KeyUsageBit { digitalSignature = 0, keyEncipherment = 2, keyCertSign = 5, cRLSign = 6 };

void addKeyUsage(X509& certificate, std::initializer_list<KeyUsageBit> bits) {
    const BitStringPtr usage(check(ASN1_BIT_STRING_new(), "ASN1_BIT_STRING_new"));
    for (const KeyUsageBit bit : bits)
        check(ASN1_BIT_STRING_set_bit(usage.get(), bit, 1), "ASN1_BIT_STRING_set_bit");
    add(certificate, NID_key_usage, true, usage.get());
}

void addServerAuth(X509& certificate) {
    const ExtendedKeyUsagePtr usage(check(EXTENDED_KEY_USAGE_new(), "EXTENDED_KEY_USAGE_new"));
    check(sk_ASN1_OBJECT_push(usage.get(), OBJ_nid2obj(NID_server_auth)), "sk_ASN1_OBJECT_push");
    add(certificate, NID_ext_key_usage, false, usage.get());
}

// RFC 7093 2, method 1: the leftmost 160 bits of SHA-256 over the subjectPublicKey.
OctetStringPtr keyIdentifier(const X509& certificate) {
    std::array<std::uint8_t, 32> digest{};
    check(X509_pubkey_digest(&certificate, EVP_sha256(), digest.data(), nullptr), "X509_pubkey_digest");
    OctetStringPtr id(check(ASN1_OCTET_STRING_new(), "ASN1_OCTET_STRING_new"));
    check(ASN1_OCTET_STRING_set(id.get(), digest.data(), 20), "ASN1_OCTET_STRING_set");
    return id;
}

void addSubjectKeyId(X509& certificate) {
    add(certificate, NID_subject_key_identifier, false, keyIdentifier(certificate).get());
}

void addAuthorityKeyId(X509& certificate, const X509& issuer) {
    const AuthorityKeyIdPtr id(check(AUTHORITY_KEYID_new(), "AUTHORITY_KEYID_new"));
    const ASN1_OCTET_STRING* own = X509_get0_subject_key_id(cached(issuer));
    id->keyid =
        own ? check(ASN1_OCTET_STRING_dup(own), "ASN1_OCTET_STRING_dup") : keyIdentifier(issuer).release();
    add(certificate, NID_authority_key_identifier, false, id.get());
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

void setKey(X509& certificate, std::span<const std::uint8_t> subjectPublicKeyInfoDer) {
    const unsigned char* end = subjectPublicKeyInfoDer.data();
    const hal::Pkey key(d2i_PUBKEY(nullptr, &end, static_cast<long>(subjectPublicKeyInfoDer.size())));
    if (!key || end != subjectPublicKeyInfoDer.data() + subjectPublicKeyInfoDer.size())
        throw Error(
            ErrorKind::rejected, "bad-key",
            "the public key does not parse (" + takeReason() + "): expected a DER SubjectPublicKeyInfo");
    check(X509_set_pubkey(&certificate, key.get()), "X509_set_pubkey");
}

X509Ptr begin(const X509_NAME& subject, const X509_NAME& issuer, TimePoint notBefore, TimePoint notAfter,
              std::span<const std::uint8_t> subjectPublicKeyInfoDer) {
    X509Ptr certificate(check(X509_new(), "X509_new"));
    check(X509_set_version(certificate.get(), X509_VERSION_3), "X509_set_version");
    setSerial(*certificate);
    check(X509_set_subject_name(certificate.get(), &subject), "X509_set_subject_name");
    check(X509_set_issuer_name(certificate.get(), &issuer), "X509_set_issuer_name");
    setValidity(*certificate, notBefore, notAfter);
    setKey(*certificate, subjectPublicKeyInfoDer);
    return certificate;
}

// The signature is checked against the issuer's certificate: a store that signed with another key, or
// wrongly, is found here and not by the clients.
void sign(X509& certificate, const X509& issuer, EVP_PKEY& issuerKey) {
    check(X509_sign(&certificate, &issuerKey, digestFor(issuerKey)), "X509_sign");
    if (X509_verify(&certificate, X509_get0_pubkey(&issuer)) == 1) return;
    throw Error(ErrorKind::internal, "bad-signature",
                "the signature on " + subjectOf(certificate) +
                    " is not by the key in the issuer's certificate " + subjectOf(issuer) + " (" +
                    takeReason() + "): the key store used another key");
}

}  // namespace

Bytes buildCsr(EVP_PKEY& key, const std::vector<Identifier>& names) {
    const hal::X509ReqPtr request(check(X509_REQ_new(), "X509_REQ_new"));
    const hal::X509NamePtr subject = subjectFor(names, false);
    check(X509_REQ_set_subject_name(request.get(), subject.get()), "X509_REQ_set_subject_name");
    check(X509_REQ_set_pubkey(request.get(), &key), "X509_REQ_set_pubkey");
    const hal::ExtensionPtr extension = alternativeNames(names, X509_NAME_entry_count(subject.get()) == 0);
    const BorrowedExtensions extensions(check(sk_X509_EXTENSION_new_null(), "sk_X509_EXTENSION_new_null"));
    check(sk_X509_EXTENSION_push(extensions.get(), extension.get()), "sk_X509_EXTENSION_push");
    check(X509_REQ_add_extensions(request.get(), extensions.get()), "X509_REQ_add_extensions");
    check(X509_REQ_sign(request.get(), &key, digestFor(key)), "X509_REQ_sign");
    const int size = i2d_X509_REQ(request.get(), nullptr);
    check(size, "i2d_X509_REQ");
    Bytes der(static_cast<std::size_t>(size));
    unsigned char* end = der.data();
    check(i2d_X509_REQ(request.get(), &end), "i2d_X509_REQ");
    return der;
}

X509Ptr buildServerLeaf(const LeafTemplate& leaf, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                        const X509& issuer, EVP_PKEY& issuerKey) {
    const hal::X509NamePtr subject = subjectFor(leaf.names, true);
    X509Ptr certificate = begin(*subject, *X509_get_subject_name(&issuer), leaf.notBefore, leaf.notAfter,
                                subjectPublicKeyInfoDer);
    addBasicConstraints(*certificate, false, std::nullopt);
    // RFC 5246 7.4.2 and RFC 8446 4.4.2.2: an RSA key also takes part in TLS 1.2 key transport, an EC key
    // only signs.
    if (EVP_PKEY_is_a(X509_get0_pubkey(certificate.get()), "RSA"))
        addKeyUsage(*certificate, {digitalSignature, keyEncipherment});
    else
        addKeyUsage(*certificate, {digitalSignature});
    addServerAuth(*certificate);
    // RFC 5280 4.2.1.6: critical where the subject is empty, not critical otherwise.
    const hal::ExtensionPtr names = alternativeNames(leaf.names, X509_NAME_entry_count(subject.get()) == 0);
    check(X509_add_ext(certificate.get(), names.get(), -1), "X509_add_ext");
    addSubjectKeyId(*certificate);
    addAuthorityKeyId(*certificate, issuer);
    sign(*certificate, issuer, issuerKey);
    return certificate;
}

X509Ptr buildCa(const CaTemplate& ca, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                const X509* issuer, EVP_PKEY& issuerKey) {
    const hal::X509NamePtr subject(check(X509_NAME_new(), "X509_NAME_new"));
    if (!ca.organization.empty()) addToName(subject.get(), "O", ca.organization);
    addToName(subject.get(), "CN", ca.commonName);
    const X509_NAME* issuerName = issuer ? X509_get_subject_name(issuer) : subject.get();
    X509Ptr certificate = begin(*subject, *issuerName, ca.notBefore, ca.notAfter, subjectPublicKeyInfoDer);
    addBasicConstraints(*certificate, true, ca.pathLength);
    addKeyUsage(*certificate, {keyCertSign, cRLSign});
    addSubjectKeyId(*certificate);
    if (issuer) addAuthorityKeyId(*certificate, *issuer);
    const X509& signer = issuer ? *issuer : std::as_const(*certificate);
    sign(*certificate, signer, issuerKey);
    return certificate;
}

}  // namespace certmgr::crypto
