#include <algorithm>
#include <utility>

#include "certmgr/crypto/x509.h"
#include "certmgr/crypto/x509_fields.h"

namespace certmgr::crypto {
namespace {

constexpr std::size_t maximumCommonName = 64;  // ub-common-name, RFC 5280 appendix A.1

std::string commonNameFor(const std::vector<Identifier>& names, bool addressesToo) {
    const auto fits = [](Identifier::Type type) {
        return [type](const Identifier& name) {
            return name.type == type && name.value.size() <= maximumCommonName;
        };
    };
    auto chosen = std::find_if(names.begin(), names.end(), fits(Identifier::Type::dns));
    if (chosen == names.end() && addressesToo)
        chosen = std::find_if(names.begin(), names.end(), fits(Identifier::Type::ip));
    return chosen == names.end() ? "" : chosen->value;
}

hal::X509NamePtr commonNameAlone(const std::string& commonName) {
    return nameOf(commonName.empty() ? DistinguishedName{} : DistinguishedName{{"CN", commonName}});
}

DistinguishedName subjectFor(const CaTemplate& ca) {
    if (!ca.subject.empty()) return ca.subject;
    DistinguishedName subject;
    if (!ca.organization.empty()) subject.push_back({"O", ca.organization});
    subject.push_back({"CN", ca.commonName});
    return subject;
}

void addCaExtensions(X509& certificate, std::optional<int> pathLength) {
    addExtension(certificate, NID_basic_constraints, true, basicConstraints(true, pathLength).get());
    addExtension(certificate, NID_key_usage, true, keyUsage({keyCertSign, cRLSign}).get());
}

bool hasRsaKey(const X509& certificate) {
    ASN1_OBJECT* algorithm = nullptr;
    X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, X509_get_X509_PUBKEY(&certificate));
    return OBJ_obj2nid(algorithm) == NID_rsaEncryption;
}

Bytes signedRequest(X509_REQ& request, EVP_PKEY& key, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                    const std::vector<X509_EXTENSION*>& wanted) {
    setKeyInfo(*X509_REQ_get_X509_PUBKEY(&request), subjectPublicKeyInfoDer);
    const BorrowedExtensions extensions(check(sk_X509_EXTENSION_new_null(), "sk_X509_EXTENSION_new_null"));
    for (X509_EXTENSION* extension : wanted)
        check(sk_X509_EXTENSION_push(extensions.get(), extension), "sk_X509_EXTENSION_push");
    check(X509_REQ_add_extensions(&request, extensions.get()), "X509_REQ_add_extensions");
    check(X509_REQ_sign(&request, &key, digestFor(key)), "X509_REQ_sign");
    return derOf(request, i2d_X509_REQ, "i2d_X509_REQ");
}

}  // namespace

Bytes buildCsr(EVP_PKEY& key, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
               const std::vector<Identifier>& names) {
    const hal::X509ReqPtr request(check(X509_REQ_new(), "X509_REQ_new"));
    const std::string commonName = commonNameFor(names, false);
    check(X509_REQ_set_subject_name(request.get(), commonNameAlone(commonName).get()),
          "X509_REQ_set_subject_name");
    const hal::ExtensionPtr extension = alternativeNames(alternativeNamesOf(names), commonName.empty());
    return signedRequest(*request, key, subjectPublicKeyInfoDer, {extension.get()});
}

Bytes buildCaCsr(EVP_PKEY& key, const DistinguishedName& subject) {
    const hal::X509ReqPtr request(check(X509_REQ_new(), "X509_REQ_new"));
    check(X509_REQ_set_subject_name(request.get(), nameOf(subject).get()), "X509_REQ_set_subject_name");
    const hal::ExtensionPtr constraints(
        check(X509V3_EXT_i2d(NID_basic_constraints, 1, basicConstraints(true, 0).get()), "X509V3_EXT_i2d"));
    const hal::ExtensionPtr usage(
        check(X509V3_EXT_i2d(NID_key_usage, 1, keyUsage({keyCertSign, cRLSign}).get()), "X509V3_EXT_i2d"));
    return signedRequest(*request, key, publicKeyInfoOf(key), {constraints.get(), usage.get()});
}

X509Ptr buildServerLeaf(const LeafTemplate& leaf, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                        const X509& issuer, EVP_PKEY& issuerKey) {
    return buildLeaf({.commonName = commonNameFor(leaf.names, true),
                      .names = alternativeNamesOf(leaf.names),
                      .purpose = Purpose::server,
                      .notBefore = leaf.notBefore,
                      .notAfter = leaf.notAfter},
                     subjectPublicKeyInfoDer, issuer, issuerKey);
}

X509Ptr buildLeaf(const EndEntityTemplate& leaf, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                  const X509& issuer, EVP_PKEY& issuerKey) {
    X509Ptr certificate = beginCertificate(*commonNameAlone(leaf.commonName), *X509_get_subject_name(&issuer),
                                           leaf.notBefore, leaf.notAfter);
    setKeyInfo(*X509_get_X509_PUBKEY(certificate.get()), subjectPublicKeyInfoDer);
    addExtension(*certificate, NID_basic_constraints, true, basicConstraints(false, std::nullopt).get());
    // RFC 5246 7.4.2 and RFC 8446 4.4.2.2: an RSA key of a server also takes part in TLS 1.2 key transport,
    // an EC key and a client only sign.
    const bool transports = leaf.purpose == Purpose::server && hasRsaKey(*certificate);
    const BitStringPtr usage =
        transports ? keyUsage({digitalSignature, keyEncipherment}) : keyUsage({digitalSignature});
    addExtension(*certificate, NID_key_usage, true, usage.get());
    addExtendedKeyUsage(*certificate, leaf.purpose == Purpose::server ? NID_server_auth : NID_client_auth);
    if (!leaf.names.empty()) {
        // RFC 5280 4.2.1.6: critical where the subject is empty, not critical otherwise.
        const hal::ExtensionPtr names = alternativeNames(leaf.names, leaf.commonName.empty());
        check(X509_add_ext(certificate.get(), names.get(), -1), "X509_add_ext");
    }
    addSubjectKeyId(*certificate);
    addExtension(*certificate, NID_authority_key_identifier, false, authorityKeyId(issuer).get());
    signCertificate(*certificate, issuer, issuerKey);
    return certificate;
}

X509Ptr buildCa(const CaTemplate& ca, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                const X509* issuer, EVP_PKEY& issuerKey) {
    const hal::X509NamePtr subject = nameOf(subjectFor(ca));
    const X509_NAME* issuerName = issuer ? X509_get_subject_name(issuer) : subject.get();
    X509Ptr certificate = beginCertificate(*subject, *issuerName, ca.notBefore, ca.notAfter);
    setKey(*certificate, subjectPublicKeyInfoDer);
    addCaExtensions(*certificate, ca.pathLength);
    if (ca.serversOnly) addExtendedKeyUsage(*certificate, NID_server_auth);
    addSubjectKeyId(*certificate);
    if (issuer)
        addExtension(*certificate, NID_authority_key_identifier, false, authorityKeyId(*issuer).get());
    const X509& signer = issuer ? *issuer : std::as_const(*certificate);
    signCertificate(*certificate, signer, issuerKey);
    return certificate;
}

X509Ptr buildCrossCertificate(const X509& ca, TimePoint notBefore, TimePoint notAfter, const X509& issuer,
                              EVP_PKEY& issuerKey) {
    const hal::Pkey key(check(X509_get_pubkey(cached(ca)), "X509_get_pubkey"));
    X509Ptr certificate =
        beginCertificate(*X509_get_subject_name(&ca), *X509_get_subject_name(&issuer), notBefore, notAfter);
    setKey(*certificate, publicKeyInfoOf(*key));
    const long pathLength = X509_get_pathlen(cached(ca));
    addCaExtensions(*certificate,
                    pathLength < 0 ? std::nullopt : std::optional(static_cast<int>(pathLength)));
    // The identifier that the CA's own certificates point at, whoever chose it.
    if (const ASN1_OCTET_STRING* own = X509_get0_subject_key_id(cached(ca)))
        addExtension(*certificate, NID_subject_key_identifier, false, const_cast<ASN1_OCTET_STRING*>(own));
    else
        addSubjectKeyId(*certificate);
    addExtension(*certificate, NID_authority_key_identifier, false, authorityKeyId(issuer).get());
    signCertificate(*certificate, issuer, issuerKey);
    return certificate;
}

}  // namespace certmgr::crypto
