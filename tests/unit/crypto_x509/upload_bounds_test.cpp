// Hostile uploads: each is refused by the check that is meant for it, before any work is done. None of them
// could be processed in a test's time if it were not.
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "certmgr/crypto/derivation.h"
#include "certmgr/crypto/upload.h"
#include "tests/unit/crypto_x509/fixtures.h"

namespace {

using namespace fixtures;
using namespace certmgr::crypto;

UploadReport bounded(const std::vector<std::string>& contents) {
    UploadFiles files;
    for (const std::string& content : contents) files.contents.emplace_back(content);
    files.passphrase = "fixture";
    return inspectUpload(files, {}, now);
}

std::string boundOf(const std::vector<std::string>& contents) {
    const UploadReport report = bounded(contents);
    for (const Finding& finding : report.findings) EXPECT_LT(finding.message.size(), 1100U);
    return report.acceptable() ? "" : report.findings.front().code;
}

// ---- DER by hand: what no tool writes

std::string tlv(int tag, const std::string& content) {
    std::string size;
    for (std::size_t rest = content.size(); rest > 0; rest >>= 8U)
        size.insert(size.begin(), static_cast<char>(rest & 0xFFU));
    std::string der(1, static_cast<char>(tag));
    if (content.size() < 0x80)
        der += static_cast<char>(content.size());
    else
        der += static_cast<char>(0x80U | size.size()) + size;
    return der + content;
}
std::string sequence(const std::string& content) {
    return tlv(0x30, content);
}
std::string octets(const std::string& content) {
    return tlv(0x04, content);
}
std::string integer(std::uint64_t value) {
    std::string content;
    for (; value > 0 || content.empty(); value >>= 8U)
        content.insert(content.begin(), static_cast<char>(value & 0xFFU));
    if ((static_cast<unsigned char>(content.front()) & 0x80U) != 0) content.insert(content.begin(), '\0');
    return tlv(0x02, content);
}
std::string oid(const char* text) {
    const hal::Handle<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(text, 1));
    return tlv(0x06, {reinterpret_cast<const char*>(OBJ_get0_data(object.get())), OBJ_length(object.get())});
}

std::string aes256() {
    return sequence(oid("2.16.840.1.101.3.4.1.42") + octets(std::string(16, '\1')));
}
std::string pbes2(const std::string& derivation) {
    return sequence(oid("1.2.840.113549.1.5.13") + sequence(derivation + aes256()));
}
std::string pbkdf2(std::uint64_t iterations) {
    return sequence(oid("1.2.840.113549.1.5.12") + sequence(octets("saltsalt") + integer(iterations)));
}
std::string scrypt(std::uint64_t n, std::uint64_t r, std::uint64_t p) {
    return sequence(oid("1.3.6.1.4.1.11591.4.11") +
                    sequence(octets("saltsalt") + integer(n) + integer(r) + integer(p)));
}
std::string encryptedKey(const std::string& encryption) {
    return sequence(encryption + octets(std::string(64, '\2')));
}

std::string contentInfo(const std::string& content) {
    return sequence(oid("1.2.840.113549.1.7.1") + tlv(0xA0, octets(content)));
}
std::string encryptedSafe(const std::string& encryption) {
    return sequence(oid("1.2.840.113549.1.7.6") +
                    tlv(0xA0, sequence(integer(0) + sequence(oid("1.2.840.113549.1.7.1") + encryption +
                                                             tlv(0x80, std::string(64, '\2'))))));
}
std::string bag(const char* type, const std::string& value) {
    return sequence(oid(type) + tlv(0xA0, value));
}
constexpr const char* shroudedKey = "1.2.840.113549.1.12.10.1.2";
constexpr const char* nestedSafe = "1.2.840.113549.1.12.10.1.6";

std::string macOf(std::uint64_t iterations) {
    const std::string digest =
        sequence(sequence(oid("2.16.840.1.101.3.4.2.1")) + octets(std::string(32, '\3')));
    return sequence(digest + octets("saltsalt") + integer(iterations));
}
std::string pfx(const std::string& safes, const std::string& mac = {}) {
    return sequence(integer(3) + contentInfo(sequence(safes)) + mac);
}
std::string pfxOf(const std::string& bags) {
    return pfx(contentInfo(sequence(bags)));
}

std::string pemOf(const std::string& label, const std::string& der) {
    const hal::Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio(bio.get(), label.c_str(), "", reinterpret_cast<const unsigned char*>(der.data()),
                  static_cast<long>(der.size()));
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

// ---- certificates that no CA would issue

struct Subject {
    std::string commonName = "gw.example.com";
    std::string subjectAltName;  // of dNSName, as it is; empty: none
};

hal::X509Ptr makeCertificate(const Subject& subject, EVP_PKEY& key, const std::string& issuer,
                             EVP_PKEY& issuerKey, bool ca = false) {
    hal::X509Ptr certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 77);
    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), now.time_since_epoch().count() - 3600);
    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), now.time_since_epoch().count() + 86'400);
    const auto nameOf = [](const std::string& text) {
        hal::X509NamePtr name(X509_NAME_new());
        hal::Handle<ASN1_STRING, ASN1_STRING_free> value(ASN1_STRING_type_new(V_ASN1_UTF8STRING));
        ASN1_STRING_set(value.get(), text.data(), static_cast<int>(text.size()));
        X509_NAME_add_entry_by_NID(name.get(), NID_commonName, V_ASN1_UTF8STRING,
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(std::min<std::size_t>(text.size(), 64)), -1, 0);
        if (text.size() > 64 || text.find('\0') != std::string::npos)
            ASN1_STRING_copy(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name.get(), 0)), value.get());
        return name;
    };
    X509_set_subject_name(certificate.get(), nameOf(subject.commonName).get());
    X509_set_issuer_name(certificate.get(), nameOf(issuer).get());
    X509_set_pubkey(certificate.get(), &key);
    const auto extend = [&](int nid, const char* value) {
        const hal::ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
        X509_add_ext(certificate.get(), extension.get(), -1);
    };
    if (ca) {
        extend(NID_basic_constraints, "critical,CA:TRUE");
        extend(NID_key_usage, "critical,keyCertSign");
    }
    if (!subject.subjectAltName.empty()) {
        const std::string der = sequence(tlv(0x82, subject.subjectAltName));
        const hal::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value(ASN1_OCTET_STRING_new());
        ASN1_OCTET_STRING_set(value.get(), reinterpret_cast<const unsigned char*>(der.data()),
                              static_cast<int>(der.size()));
        const hal::ExtensionPtr extension(
            X509_EXTENSION_create_by_NID(nullptr, NID_subject_alt_name, 0, value.get()));
        X509_add_ext(certificate.get(), extension.get(), -1);
    }
    EXPECT_GT(X509_sign(certificate.get(), &issuerKey, EVP_sha256()), 0);
    return certificate;
}

// A number of the wanted size that is no product of primes: nothing here may have to find that out.
hal::Pkey publicRsa(int bits) {
    const hal::BigNumber n(BN_new()), e(BN_new());
    BN_rand(n.get(), bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
    BN_set_word(e.get(), 65537);
    const hal::Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
    const hal::Handle<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    const hal::PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    EVP_PKEY_fromdata_init(context.get());
    EXPECT_EQ(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()), 1);
    return hal::Pkey(key);
}

class UploadBounds : public testing::Test {
  protected:
    const hal::Pkey key{EVP_EC_gen("P-256")};
    const hal::Pkey caKey{EVP_EC_gen("P-256")};

    std::string withSubject(const Subject& subject) const {
        return boundOf({toPem(*makeCertificate(subject, *key, "CA", *caKey)) +
                        toPem(*makeCertificate({"CA", ""}, *caKey, "Root", *caKey, true)) +
                        text("leaf.key")});
    }
};

TEST_F(UploadBounds, Size) {
    EXPECT_EQ(boundOf({std::string(10'000'000, 'x')}), "too-large");
    std::string half(maximumUpload / 2 + 1, ' ');
    EXPECT_EQ(boundOf({half, half}), "too-large") << "of all files together";
    EXPECT_EQ(boundOf(std::vector<std::string>(11, text("leaf.pem"))), "too-large");
    std::string certificates, keys, few;
    for (int i = 0; i < 1000; ++i) certificates += text("cn-only.pem").substr(0, 200);
    for (int i = 0; i < 300; ++i) few += text("leaf.pem");
    for (int i = 0; i < 200; ++i) keys += text("other.key");
    EXPECT_EQ(boundOf({certificates}), "bad-pem");
    EXPECT_EQ(boundOf({few}), "too-large");
    EXPECT_EQ(boundOf({text("leaf.pem") + text("issuing.pem") + keys}), "too-large");
    std::string thousand;
    for (int i = 0; i < 1000; ++i) thousand += text("gnutls-leaf.pem");
    EXPECT_EQ(boundOf({thousand}), "too-large");
    EXPECT_EQ(boundOf({"-----BEGIN " + std::string(200'000, 'A')}), "bad-pem");
}

TEST_F(UploadBounds, Iterations) {
    constexpr std::uint64_t huge = std::uint64_t{1} << 31U;
    const std::string chain = text("leaf.pem") + text("issuing.pem");
    for (const std::uint64_t count : {huge, huge - 1, ~std::uint64_t{0}}) {
        EXPECT_EQ(boundOf({chain, encryptedKey(pbes2(pbkdf2(count)))}), "too-costly");
        EXPECT_EQ(boundOf({chain + pemOf("ENCRYPTED PRIVATE KEY", encryptedKey(pbes2(pbkdf2(count))))}),
                  "too-costly");
        EXPECT_EQ(boundOf({pfxOf(bag(shroudedKey, encryptedKey(pbes2(pbkdf2(count)))))}), "too-costly");
        EXPECT_EQ(boundOf({pfx(encryptedSafe(pbes2(pbkdf2(count))))}), "too-costly");
        EXPECT_EQ(boundOf({pfx(contentInfo(sequence("")), macOf(count))}), "too-costly");
        const std::string pkcs12Scheme =
            sequence(oid("1.2.840.113549.1.12.1.3") + sequence(octets("saltsalt") + integer(count)));
        EXPECT_EQ(boundOf({chain, encryptedKey(pkcs12Scheme)}), "too-costly");
    }
    EXPECT_EQ(boundOf({chain, encryptedKey(pbes2(scrypt(1U << 18U, 1, 1U << 17U)))}), "too-costly");
    EXPECT_EQ(boundOf({chain, encryptedKey(pbes2(scrypt(huge, huge, huge)))}), "too-costly");
    std::string many;
    for (int i = 0; i < 9; ++i)
        many += pemOf("ENCRYPTED PRIVATE KEY", encryptedKey(pbes2(pbkdf2(maximumIterations))));
    EXPECT_EQ(boundOf({chain + many}), "wrong-passphrase") << "the first is paid for, the others not";
}

TEST_F(UploadBounds, Pkcs12) {
    const std::string empty = sequence("");
    EXPECT_EQ(boundOf({pfxOf(bag(nestedSafe, sequence(bag(nestedSafe, empty))))}), "bad-pkcs12");
    std::string bags;
    for (int i = 0; i < 101; ++i) bags += bag(shroudedKey, encryptedKey(pbes2(pbkdf2(1))));
    EXPECT_EQ(boundOf({pfxOf(bags)}), "bad-pkcs12");
    std::string safes;
    for (int i = 0; i < 21; ++i) safes += contentInfo(empty);
    EXPECT_EQ(boundOf({pfx(safes)}), "bad-pkcs12");
    EXPECT_EQ(boundOf({pfx(sequence(oid("1.2.840.113549.1.7.6")))}), "bad-pkcs12") << "CVE-2024-0727";
    EXPECT_EQ(boundOf({std::string("\x30\x84\x7f\xff\xff\xff\x02\x01\x03", 9)}), "bad-format");
    std::string deep = empty;
    for (int i = 0; i < 5000; ++i) deep = bag(nestedSafe, sequence(deep));
    EXPECT_NE(boundOf({pfxOf(deep)}), "");
    EXPECT_EQ(boundOf({pfxOf("")}), "no-certificate");
}

TEST_F(UploadBounds, Keys) {
    const std::string issuing = toPem(*makeCertificate({"CA", ""}, *caKey, "Root", *caKey, true));
    for (const int bits : {16'384, 8200}) {
        const hal::Pkey huge = publicRsa(bits);
        EXPECT_EQ(boundOf({toPem(*makeCertificate({"", "gw.example.com"}, *huge, "CA", *caKey)) + issuing}),
                  "key-too-large");
    }
    std::string numbers = integer(0);
    for (int i = 0; i < 8; ++i) numbers += tlv(0x02, std::string(2048, '\x41'));
    const std::string chain = text("leaf.pem") + text("issuing.pem");
    EXPECT_EQ(boundOf({chain, sequence(numbers)}), "key-mismatch") << "and its numbers are not looked at";
}

TEST_F(UploadBounds, AKeyWhoseFactorsAreNotItsOwnNeverReachesTheKeyStore) {
    const hal::Pkey rsa(EVP_RSA_gen(2048));
    BIGNUM *n = nullptr, *e = nullptr, *d = nullptr;
    EVP_PKEY_get_bn_param(rsa.get(), OSSL_PKEY_PARAM_RSA_N, &n);
    EVP_PKEY_get_bn_param(rsa.get(), OSSL_PKEY_PARAM_RSA_E, &e);
    EVP_PKEY_get_bn_param(rsa.get(), OSSL_PKEY_PARAM_RSA_D, &d);
    const hal::BigNumber owners[] = {hal::BigNumber(n), hal::BigNumber(e), hal::BigNumber(d)};
    std::string numbers = integer(0);
    for (const hal::BigNumber& number : owners) {
        std::string octetsOf(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
        BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(octetsOf.data()));
        numbers += tlv(0x02, '\0' + octetsOf);
    }
    for (int i = 0; i < 5; ++i) numbers += tlv(0x02, std::string(20'000, '\x41'));
    const hal::X509Ptr leaf = makeCertificate({"", "gw.example.com"}, *rsa, "CA", *caKey);
    EXPECT_EQ(boundOf({toPem(*leaf) + toPem(*makeCertificate({"CA", ""}, *caKey, "Root", *caKey, true)),
                       sequence(numbers)}),
              "bad-key");
}

TEST_F(UploadBounds, ACycleOfIssuers) {
    const hal::Pkey other(EVP_EC_gen("P-256"));
    EXPECT_EQ(boundOf({toPem(*makeCertificate({"A", ""}, *caKey, "B", *other, true)) +
                       toPem(*makeCertificate({"B", ""}, *other, "A", *caKey, true)) + text("leaf.key")}),
              "ca-as-leaf");
    const std::string report = boundOf({toPem(*makeCertificate({"", "gw.example.com"}, *key, "A", *caKey)) +
                                        toPem(*makeCertificate({"A", ""}, *caKey, "B", *other, true)) +
                                        toPem(*makeCertificate({"B", ""}, *other, "A", *caKey, true))});
    EXPECT_EQ(report, "no-key") << "it ends; whether it leads to a trusted root is asked of clients";
}

TEST_F(UploadBounds, Names) {
    using namespace std::string_literals;
    EXPECT_EQ(withSubject({"", "gw.example.com\0.evil.example"s}), "bad-names");
    EXPECT_EQ(withSubject({"", "gw.example.com\nX"}), "bad-names");
    EXPECT_EQ(withSubject({"", std::string(300, 'a') + ".example.com"}), "bad-names");
    EXPECT_EQ(withSubject({"gw.example.com\0.evil.example"s, ""}), "no-names");
    EXPECT_EQ(withSubject({"gw.example.com\nX", ""}), "no-names");
    EXPECT_EQ(withSubject({std::string(300, 'a') + ".example.com", ""}), "no-names");
    EXPECT_EQ(withSubject({"Company gateway", ""}), "no-names");
    EXPECT_EQ(withSubject({std::string(2000, 'a'), "gw.example.com"}), "bad-subject");
    EXPECT_EQ(withSubject({"gw.example.com", ""}), "key-mismatch") << "the CN where there is no SAN";
}

}  // namespace
