#include <algorithm>
#include <array>
#include <map>

#include <openssl/pem.h>
#include <openssl/provider.h>

#include "certmgr/core/ascii.h"
#include "certmgr/crypto/digest.h"
#include "certmgr/crypto/distinguished_name.h"
#include "certmgr/crypto/jws.h"
#include "certmgr/crypto/names.h"
#include "certmgr/crypto/openssl.h"
#include "certmgr/crypto/pem.h"
#include "certmgr/crypto/x509.h"
#include "hal/hex.h"

namespace certmgr::crypto {
namespace {

std::string commonNameIn(const X509_NAME& name) {
    for (const NameAttribute& attribute : subjectOf(name))
        if (attribute.type == "CN") return attribute.value;
    return {};
}

struct DecodedPem {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    DecodedPem() = default;
    DecodedPem(const DecodedPem&) = delete;
    DecodedPem& operator=(const DecodedPem&) = delete;
    ~DecodedPem() {
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
};

std::string describeOther(std::string_view text, const std::vector<PemBlock>& blocks) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return "the text is empty";
    if (blocks.empty() && text.front() == '\x30') return "the text is binary (DER or PKCS#12)";
    if (blocks.empty() && text[first] == '<') return "the text is HTML or XML";
    if (blocks.empty()) return "there is no PEM block at all";
    std::map<std::string_view, int> labels;
    for (const PemBlock& block : blocks) ++labels[block.label];
    std::string found = "there is only";
    for (const auto& [label, count] : labels)
        found += (found.ends_with("only") ? " " : ", ") + std::to_string(count) + " × " +
                 std::string(label.substr(0, 40));
    return found;
}

[[noreturn]] void refuseWithoutCertificate(std::string_view pem, const std::vector<PemBlock>& blocks) {
    throw Error(ErrorKind::rejected, "bad-pem",
                describeOther(pem, blocks) + ": expected a PEM text with at least one block " +
                    "\"-----BEGIN CERTIFICATE-----\"");
}

bool decode(std::string_view text, DecodedPem& pem) {
    const hal::Bio bio(check(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "BIO_new_mem_buf"));
    return PEM_read_bio(bio.get(), &pem.name, &pem.header, &pem.data, &pem.size) == 1;
}

// A context of no algorithms. A certificate that is parsed in it has all its fields but the decoded key:
// nothing can be verified by it, X509_digest() fails, and so do the getters that go through
// X509_check_purpose().
OSSL_LIB_CTX* withoutAlgorithms() {
    static OSSL_LIB_CTX* const context = [] {
        OSSL_LIB_CTX* made = check(OSSL_LIB_CTX_new(), "OSSL_LIB_CTX_new");
        check(OSSL_PROVIDER_load(made, "null"), "OSSL_PROVIDER_load");
        return made;  // for the life of the process: certificates refer to it
    }();
    return context;
}

X509Ptr parseBlock(std::string_view text, std::size_t number, OSSL_LIB_CTX* context) {
    DecodedPem pem;
    X509Ptr certificate;
    if (decode(text, pem)) {
        X509* target = context ? check(X509_new_ex(context, nullptr), "X509_new_ex") : nullptr;
        const unsigned char* end = pem.data;
        d2i_X509(&target, &end, pem.size);  // takes the target away where it fails
        certificate.reset(target);
        if (end != pem.data + pem.size) certificate.reset();
    }
    if (certificate && (context || X509_get0_pubkey(certificate.get()))) return certificate;
    throw Error(ErrorKind::rejected, "bad-certificate",
                "certificate block " + std::to_string(number) + " does not parse (" + takeReason() +
                    "): expected the base64 text of one DER certificate with a known kind of key");
}

std::vector<X509Ptr> parseChain(std::string_view pem, OSSL_LIB_CTX* context) {
    const std::vector<PemBlock> blocks = pemBlocks(pem);
    const auto count =
        std::count_if(blocks.begin(), blocks.end(), [](auto& block) { return block.certificate(); });
    if (count == 0) refuseWithoutCertificate(pem, blocks);
    if (static_cast<std::size_t>(count) > maximumCertificates)
        throw Error(ErrorKind::rejected, "too-large",
                    "there are " + std::to_string(count) + " certificates, at most " +
                        std::to_string(maximumCertificates) +
                        " are taken: give the leaf and its chain alone");
    std::vector<X509Ptr> chain;
    for (const PemBlock& block : blocks)
        if (block.certificate()) chain.push_back(parseBlock(block.text, chain.size() + 1, context));
    return chain;
}

X509Ptr parseLeaf(std::string_view pem, OSSL_LIB_CTX* context) {
    const std::vector<PemBlock> blocks = pemBlocks(pem);
    const auto leaf = std::ranges::find_if(blocks, &PemBlock::certificate);
    if (leaf == blocks.end()) refuseWithoutCertificate(pem, blocks);
    return parseBlock(leaf->text, 1, context);
}

std::string serialOf(const X509& certificate) {
    const hal::BigNumber number(
        check(ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr), "ASN1_INTEGER_to_BN"));
    char* text = check(BN_bn2hex(number.get()), "BN_bn2hex");
    std::string serial = lowered(std::string(text));
    OPENSSL_free(text);
    return serial;
}

TimePoint timeOf(const ASN1_TIME* time, const X509& certificate) {
    using namespace std::chrono;
    tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        ERR_clear_error();
        throw Error(ErrorKind::rejected, "bad-certificate",
                    "the validity of " + subjectOf(certificate) +
                        " is no time: expected UTCTime or GeneralizedTime (RFC 5280 4.1.2.5)");
    }
    const sys_days day = year(parts.tm_year + 1900) / (parts.tm_mon + 1) / parts.tm_mday;
    return day + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}

Bytes publicKeyOf(const X509& certificate) {
    return derOf(*X509_get_X509_PUBKEY(&certificate), i2d_X509_PUBKEY, "i2d_X509_PUBKEY");
}

}  // namespace

std::vector<X509Ptr> parseChainPem(std::string_view pem) {
    return parseChain(pem, nullptr);
}

X509Ptr parseLeafPem(std::string_view pem) {
    return parseLeaf(pem, nullptr);
}

std::vector<std::string> chainSha256(std::string_view pem) {
    std::vector<std::string> fingerprints;
    for (const PemBlock& block : pemBlocks(pem)) {
        if (!block.certificate()) continue;
        DecodedPem decoded;
        if (!decode(block.text, decoded))
            throw Error(ErrorKind::rejected, "bad-certificate",
                        "certificate block " + std::to_string(fingerprints.size() + 1) +
                            " is no base64 text (" + takeReason() + ")");
        fingerprints.push_back(sha256Hex({decoded.data, static_cast<std::size_t>(decoded.size)}));
    }
    return fingerprints;
}

std::optional<std::string> renewalIdOf(std::string_view leafPem) {
    const X509Ptr leaf = parseLeaf(leafPem, withoutAlgorithms());
    const AuthorityKeyIdPtr issuer(static_cast<AUTHORITY_KEYID*>(
        X509_get_ext_d2i(leaf.get(), NID_authority_key_identifier, nullptr, nullptr)));
    ERR_clear_error();
    if (!issuer || !issuer->keyid) return std::nullopt;
    const ASN1_OCTET_STRING* const issuerKey = issuer->keyid;
    const ASN1_INTEGER* const serial = X509_get0_serialNumber(leaf.get());
    const Bytes element = derOf(*serial, i2d_ASN1_INTEGER, "i2d_ASN1_INTEGER");
    // Without the tag and the length, which is below 128 (RFC 5280 4.1.2.2).
    const std::string_view octets(reinterpret_cast<const char*>(element.data()) + 2, element.size() - 2);
    const std::string_view keyId(reinterpret_cast<const char*>(ASN1_STRING_get0_data(issuerKey)),
                                 static_cast<std::size_t>(ASN1_STRING_length(issuerKey)));
    return base64url(keyId) + "." + base64url(octets);
}

std::string toPem(const std::vector<X509Ptr>& chain) {
    std::string text;
    for (const X509Ptr& certificate : chain) text += toPem(*certificate);
    return text;
}

std::string toPem(const X509& certificate) {
    const hal::Bio bio(check(BIO_new(BIO_s_mem()), "BIO_new"));
    check(PEM_write_bio_X509(bio.get(), &certificate), "PEM_write_bio_X509");
    return std::string(writtenTo(*bio));
}

Bytes toDer(const X509& certificate) {
    return derOf(certificate, i2d_X509, "i2d_X509");
}

CertificateSummary summarize(const X509& certificate) {
    return {.names = namesOf(certificate),
            .subject = rfc4514(*X509_get_subject_name(&certificate)),
            .issuer = rfc4514(*X509_get_issuer_name(&certificate)),
            .serial = serialOf(certificate),
            .sha256 = sha256Hex(certificate),
            .notBefore = timeOf(X509_get0_notBefore(&certificate), certificate),
            .notAfter = timeOf(X509_get0_notAfter(&certificate), certificate)};
}

CertificateSummary summarizeLeafPem(std::string_view pem) {
    return summarize(*parseLeaf(pem, withoutAlgorithms()));
}

ChainLinks chainLinks(std::string_view pem) {
    ChainLinks links;
    for (const X509Ptr& certificate : parseChain(pem, withoutAlgorithms())) {
        const CertificateSummary summary = summarize(*certificate);
        links.push_back({commonNameIn(*X509_get_subject_name(certificate.get())),
                         commonNameIn(*X509_get_issuer_name(certificate.get())), summary.issuer,
                         summary.sha256, summary.notBefore, summary.notAfter});
    }
    return links;
}

std::string sha256Hex(const X509& certificate) {
    return sha256Hex(toDer(certificate));
}

bool keyMatches(std::string_view leafPem, std::span<const std::uint8_t> subjectPublicKeyInfoDer) {
    const X509Ptr leaf = parseLeaf(leafPem, withoutAlgorithms());
    return std::ranges::equal(publicKeyOf(*leaf), subjectPublicKeyInfoDer) ||
           keyMatches(*parseLeafPem(leafPem), subjectPublicKeyInfoDer);
}

bool keyMatches(const X509& leaf, std::span<const std::uint8_t> subjectPublicKeyInfoDer) {
    if (std::ranges::equal(publicKeyOf(leaf), subjectPublicKeyInfoDer)) return true;
    // The same key may be encoded in another way, such as a compressed point.
    const unsigned char* end = subjectPublicKeyInfoDer.data();
    const hal::Pkey key(d2i_PUBKEY(nullptr, &end, static_cast<long>(subjectPublicKeyInfoDer.size())));
    const bool matches = key && EVP_PKEY_eq(X509_get0_pubkey(&leaf), key.get()) == 1;
    ERR_clear_error();
    return matches;
}

}  // namespace certmgr::crypto
