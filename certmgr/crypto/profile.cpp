#include "certmgr/crypto/profile.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "certmgr/crypto/names.h"
#include "certmgr/crypto/openssl.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {
namespace {

using Findings = std::vector<Finding>;
using NameConstraintsPtr = hal::Handle<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free>;
using AccessPtr = hal::Handle<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free>;

template <class Pointer>
Pointer extension(const X509& certificate, int nid) {
    Pointer value(
        static_cast<typename Pointer::pointer>(X509_get_ext_d2i(&certificate, nid, nullptr, nullptr)));
    ERR_clear_error();
    return value;
}

bool has(const X509& certificate, int nid) {
    return X509_get_ext_by_NID(&certificate, nid, -1) >= 0;
}

bool critical(const X509& certificate, int nid) {
    const int index = X509_get_ext_by_NID(&certificate, nid, -1);
    return index >= 0 && X509_EXTENSION_get_critical(X509_get_ext(&certificate, index)) == 1;
}

void checkSerial(const X509& certificate, Findings& findings) {
    const ASN1_INTEGER* serial = X509_get0_serialNumber(&certificate);
    const hal::BigNumber number(check(ASN1_INTEGER_to_BN(serial, nullptr), "ASN1_INTEGER_to_BN"));
    if (BN_is_zero(number.get()) || BN_is_negative(number.get()) || BN_num_bits(number.get()) > 159)
        findings.push_back(
            {"bad-serial",
             "its serial number is zero, negative or longer than 20 octets; expected a positive "
             "one of at most 20 octets (RFC 5280 4.1.2.2)"});
}

std::string keyProblem(const EVP_PKEY& key) {
    const int bits = EVP_PKEY_get_bits(&key);
    if (EVP_PKEY_is_a(&key, "RSA") || EVP_PKEY_is_a(&key, "RSA-PSS")) {
        if (bits >= 2048 && bits % 8 == 0) return {};
        return "RSA of " + std::to_string(bits) + " bits";
    }
    if (EVP_PKEY_is_a(&key, "EC")) {
        char group[64] = "explicit parameters";
        if (EVP_PKEY_get_group_name(&key, group, sizeof group, nullptr) != 1) ERR_clear_error();
        const std::string_view name = group;
        if (name == "prime256v1" || name == "secp384r1" || name == "secp521r1") return {};
        return "an EC key with " + std::string(name);
    }
    if (EVP_PKEY_is_a(&key, "ED25519") || EVP_PKEY_is_a(&key, "ED448")) return {};
    return std::string("a key of the kind ") + EVP_PKEY_get0_type_name(&key);
}

void checkKey(const X509& certificate, Findings& findings) {
    if (const std::string problem = keyProblem(*X509_get0_pubkey(&certificate)); !problem.empty())
        findings.push_back(
            {"weak-key", "its key is " + problem +
                             "; expected RSA of at least 2048 bits (a multiple of 8), P-256, P-384, P-521 or "
                             "Ed25519: make a new key and have it certified"});
}

void checkSignature(const X509& certificate, Findings& findings) {
    int digest = NID_undef;
    if (X509_get_signature_info(cached(certificate), &digest, nullptr, nullptr, nullptr) != 1)
        ERR_clear_error();
    if (digest == NID_md5 || digest == NID_sha1 || digest == NID_md4 || digest == NID_md2)
        findings.push_back({"weak-signature", std::string("it is signed with ") + OBJ_nid2sn(digest) +
                                                  "; expected SHA-256 or better: have it issued anew"});
}

void checkCa(const X509& certificate, Findings& findings) {
    if (!mayIssue(certificate))
        findings.push_back({"not-a-ca", "it stands as a CA, and its basicConstraints do not say CA:TRUE"});
    if ((X509_get_key_usage(cached(certificate)) & KU_KEY_CERT_SIGN) == 0)
        findings.push_back({"wrong-usage", "it stands as a CA, and its keyUsage lacks keyCertSign"});
}

void checkServerUsage(const X509& certificate, Findings& findings) {
    if (mayIssue(certificate))
        findings.push_back({"ca-as-leaf", "it is a CA (CA:TRUE); expected a server certificate as the leaf"});
    const std::uint32_t usage =
        X509_get_key_usage(cached(certificate));  // all bits where the extension is absent
    if (has(certificate, NID_key_usage) && (usage & KU_KEY_CERT_SIGN) != 0)
        findings.push_back({"wrong-usage", "its keyUsage has keyCertSign, which is for CAs alone"});
    if (!has(certificate, NID_ext_key_usage)) return;
    if ((X509_get_extended_key_usage(cached(certificate)) & XKU_ANYEKU) != 0)
        findings.push_back(
            {"wrong-usage",
             "its extendedKeyUsage has anyExtendedKeyUsage (Baseline Requirements 7.1.2.7.10); "
             "expected serverAuth by its name"});
    if ((X509_get_extended_key_usage(cached(certificate)) & XKU_SSL_SERVER) == 0)
        findings.push_back(
            {"wrong-usage",
             "its extendedKeyUsage lacks serverAuth; expected serverAuth, or no such extension"});
}

// RFC 5280 4.2: which extensions must be critical, which must not, and none twice.
void checkExtensions(const X509& certificate, Position position, Findings& findings) {
    const auto refuse = [&](std::string message) {
        findings.push_back({"bad-extension", std::move(message)});
    };
    std::set<std::string> seen;
    for (int i = 0; i < X509_get_ext_count(&certificate); ++i) {
        char oid[80] = "";
        OBJ_obj2txt(oid, sizeof oid, X509_EXTENSION_get_object(X509_get_ext(&certificate, i)), 1);
        if (!seen.insert(oid).second)
            refuse("it has the extension " + std::string(oid) + " twice (RFC 5280 4.2)");
    }
    if (critical(certificate, NID_authority_key_identifier))
        refuse("its authorityKeyIdentifier is critical, which RFC 5280 4.2.1.1 forbids");
    if (critical(certificate, NID_info_access))
        refuse("its authorityInfoAccess is critical, which RFC 5280 4.2.2.1 forbids");
    if (has(certificate, NID_info_access) && !extension<AccessPtr>(certificate, NID_info_access))
        refuse("its authorityInfoAccess does not parse");
    if (!has(certificate, NID_name_constraints)) return;
    if (position == Position::leaf)
        refuse("it has nameConstraints, which RFC 5280 4.2.1.10 allows in a CA alone");
    if (!critical(certificate, NID_name_constraints))
        refuse("its nameConstraints are not critical, as RFC 5280 4.2.1.10 asks for");
    const auto constraints = extension<NameConstraintsPtr>(certificate, NID_name_constraints);
    if (!constraints || (sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees) <= 0 &&
                         sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees) <= 0))
        refuse("its nameConstraints are empty or do not parse");
}

// Baseline Requirements 7.1.2.1.3: a root's authorityKeyIdentifier, if any, is its own key identifier and
// nothing else.
void checkRootKeyId(const X509& certificate, Findings& findings) {
    const auto id = extension<AuthorityKeyIdPtr>(certificate, NID_authority_key_identifier);
    if (!id || !selfSigned(certificate)) return;
    const ASN1_OCTET_STRING* own = X509_get0_subject_key_id(cached(certificate));
    if (id->issuer || id->serial || !id->keyid || !own || ASN1_OCTET_STRING_cmp(id->keyid, own) != 0)
        findings.push_back(
            {"bad-extension", "its authorityKeyIdentifier is not its own subjectKeyIdentifier alone"});
}

// Baseline Requirements 7.1.2.1.2.
void checkRootUsage(const X509& certificate, Findings& findings) {
    if (selfSigned(certificate) && has(certificate, NID_ext_key_usage))
        findings.push_back(
            {"wrong-usage", "it is a root with an extendedKeyUsage, which a root must not have"});
}

}  // namespace

std::vector<Finding> checkProfile(const X509& certificate, Position position) {
    Findings findings;
    checkSerial(certificate, findings);
    checkKey(certificate, findings);
    if (position != Position::anchor) checkSignature(certificate, findings);
    if (position == Position::leaf)
        checkServerUsage(certificate, findings);
    else
        checkCa(certificate, findings);
    checkExtensions(certificate, position, findings);
    if (position == Position::anchor) {
        checkRootKeyId(certificate, findings);
        checkRootUsage(certificate, findings);
    }
    if (position == Position::leaf)
        for (std::string& problem : nameProblems(certificate))
            findings.push_back({"bad-names", std::move(problem)});
    return findings;
}

std::vector<Finding> checkValidity(const X509& certificate, TimePoint now) {
    const CertificateSummary summary = summarize(certificate);
    if (now > summary.notAfter)
        return {{"expired", "it expired at " + formatTime(summary.notAfter) + ", and now it is " +
                                formatTime(now) + "; expected one that is still valid"}};
    if (now < summary.notBefore)
        return {{"not-yet-valid", "it is valid from " + formatTime(summary.notBefore) +
                                      " on, and now it is " + formatTime(now) +
                                      ": check the clock, or wait"}};
    return {};
}

}  // namespace certmgr::crypto
