#include <random>

#include "tests/unit/crypto_x509/fixtures.h"

namespace {

using namespace fixtures;
using namespace certmgr::crypto;

TEST(Summary, saysWhatOpensslPutIn) {
    const CertificateSummary summary = summarize(*certificate("leaf"));
    const std::vector<Identifier> names{dns("*.gw.example.com"), dns("gw.example.com"), ip("192.0.2.1"),
                                        ip("2001:db8::1")};
    EXPECT_EQ(summary.names, names);
    EXPECT_EQ(summary.subject, "CN=gw.example.com");
    EXPECT_EQ(summary.issuer, "CN=Fixture issuing,O=Fixture");
    EXPECT_EQ(summary.sha256.size(), 64U);
}

TEST(Summary, saysWhatGnutlsPutIn) {
    const CertificateSummary summary = summarize(*certificate("gnutls-leaf"));
    const std::vector<Identifier> names{dns("mail.example.net"), ip("198.51.100.7")};
    EXPECT_EQ(summary.names, names);
    EXPECT_EQ(summary.serial, "c0ffee");
    EXPECT_EQ(summary.issuer, "CN=GnuTLS root,O=Fixture");
}

TEST(Summary, keepsAnIdnAsALabelsAndEscapesTheSubject) {
    const CertificateSummary summary = summarize(*certificate("idn"));
    EXPECT_EQ(summary.names, std::vector{dns("xn--bcher-kva.example")});
    EXPECT_EQ(summary.subject, "CN=xn--bcher-kva.example,O=Größe\\, \\\"Söhne\\\" \\+ Co");
    EXPECT_EQ(summary.serial, "0a");
    EXPECT_EQ(formatTime(summary.notBefore), "2026-01-01T00:00:00Z");
}

TEST(Summary, takesTheCommonNameWhereThereIsNoSubjectAltName) {
    EXPECT_EQ(summarize(*certificate("cn-only")).names, std::vector{dns("old.example.com")});
}

TEST(Summary, readsBothKindsOfTimeAround2050) {
    const CertificateSummary summary = summarize(*certificate("past-2050"));
    EXPECT_EQ(formatTime(summary.notBefore), "2049-12-31T23:59:59Z");
    EXPECT_EQ(formatTime(summary.notAfter), "2050-01-01T00:00:00Z");
}

TEST(Pem, goesRoundAndKeepsTheOrder) {
    const std::string pem = "a remark\r\n" + text("root.pem") + text("leaf.key") + text("leaf.pem");
    const auto chain = parseChainPem(pem);
    ASSERT_EQ(chain.size(), 2U);
    EXPECT_EQ(toPem(chain), text("root.pem") + text("leaf.pem"));
    EXPECT_EQ(sha256Hex(*chain[1]), sha256Hex(*certificate("leaf")));
    EXPECT_GT(toDer(*chain[1]).size(), 300U);
}

TEST(Pem, theLeafIsTheFirstOne) {
    EXPECT_EQ(toPem(*parseLeafPem(text("leaf.key") + text("leaf.pem") + text("root.pem"))), text("leaf.pem"));
    EXPECT_EQ(messageOf([] { parseLeafPem(text("leaf.key")); }),
              messageOf([] { parseChainPem(text("leaf.key")); }));
}

TEST(Pem, fingerprintsAreThoseOfTheParsedChain) {
    const std::string pem = text("leaf.pem") + text("leaf.key") + "a remark\n" + text("issuing.pem");
    const std::vector<std::string> expected{sha256Hex(*certificate("leaf")),
                                            sha256Hex(*certificate("issuing"))};
    EXPECT_EQ(chainSha256(pem), expected);
    EXPECT_TRUE(chainSha256("").empty());
    const auto damaged = [] {
        chainSha256("-----BEGIN CERTIFICATE-----\n<html>\n-----END CERTIFICATE-----\n");
    };
    EXPECT_NE(messageOf(damaged).find("block 1 is no base64"), std::string::npos);
}

TEST(Pem, saysWhatWasFoundInstead) {
    const auto message = [](const std::string& pem) { return messageOf([&] { parseChainPem(pem); }); };
    EXPECT_NE(message("").find("the text is empty"), std::string::npos);
    EXPECT_NE(message("<html>502</html>").find("HTML"), std::string::npos);
    EXPECT_NE(message("hello").find("no PEM block"), std::string::npos);
    EXPECT_NE(message(text("leaf.key")).find("1 × PRIVATE KEY"), std::string::npos);
    const Bytes der = toDer(*certificate("leaf"));
    EXPECT_NE(message(std::string(der.begin(), der.end())).find("DER"), std::string::npos);
}

// A prefix that is whole parses: the text without its last newline. Everything shorter is refused.
TEST(Pem, refusesEveryPrefixOfAFile) {
    const std::string pem = text("leaf.pem");
    for (std::size_t size = 0; size + 1 < pem.size(); ++size)
        ASSERT_EQ(codeOf([&] { parseChainPem(pem.substr(0, size)); }), "bad-pem") << size;
    EXPECT_EQ(parseChainPem(pem.substr(0, pem.size() - 1)).size(), 1U);
}

std::string pemOf(const Bytes& der) {
    std::string base64(der.size() * 2 + 4, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()), der.data(),
                                     static_cast<int>(der.size()));
    base64.resize(static_cast<std::size_t>(size));
    std::string lines;
    for (std::size_t i = 0; i < base64.size(); i += 64) lines += base64.substr(i, 64) + "\n";
    return "-----BEGIN CERTIFICATE-----\n" + lines + "-----END CERTIFICATE-----\n";
}

TEST(Pem, refusesEveryPrefixOfTheDer) {
    const Bytes der = toDer(*certificate("leaf"));
    for (std::size_t size = 0; size < der.size(); ++size)
        ASSERT_EQ(codeOf([&] {
                      parseChainPem(pemOf({der.begin(), der.begin() + static_cast<std::ptrdiff_t>(size)}));
                  }),
                  "bad-certificate")
            << size;
    Bytes longer = der;
    longer.push_back(0);
    EXPECT_EQ(codeOf([&] { parseChainPem(pemOf(longer)); }), "bad-certificate");
    EXPECT_EQ(parseChainPem(pemOf(der)).size(), 1U);
}

// Each octet of the DER damaged once: refused, or read without a crash.
TEST(Pem, survivesDamage) {
    std::mt19937 random(1);
    Bytes der = toDer(*certificate("leaf"));
    int refused = 0;
    for (std::uint8_t& octet : der) {
        const auto before = std::exchange(octet, static_cast<std::uint8_t>(octet ^ (1U + random() % 255U)));
        refused += codeOf([&] { summarize(*parseChainPem(pemOf(der)).front()); }).empty() ? 0 : 1;
        octet = before;
    }
    EXPECT_GT(refused, 50);
    std::string garbage(4096, '\0');
    for (int round = 0; round < 200; ++round) {
        for (char& c : garbage) c = static_cast<char>(random());
        EXPECT_EQ(codeOf([&] { parseChainPem(garbage); }), "bad-pem");
    }
}

TEST(Pem, isBounded) {
    std::string bundle;
    for (int i = 0; i < 20; ++i) bundle += text("leaf.pem");
    EXPECT_EQ(parseChainPem(bundle).size(), 20U);
    EXPECT_EQ(codeOf([&] { parseChainPem(bundle + text("leaf.pem")); }), "too-large");
    std::string thousand;
    for (int i = 0; i < 1000; ++i) thousand += text("leaf.pem");
    EXPECT_EQ(codeOf([&] { parseChainPem(thousand); }), "too-large");
    EXPECT_EQ(codeOf([] { parseChainPem(std::string(10'000'000, '-')); }), "too-large");
}

TEST(Summary, isTheSameWithoutTheKey) {
    for (const char* name : {"leaf", "gnutls-leaf", "idn", "cn-only", "past-2050"})
        EXPECT_EQ(summarizeLeafPem(text(std::string(name) + ".pem")), summarize(*certificate(name))) << name;
}

TEST(KeyMatches, comparesThePublicHalves) {
    const auto leaf = certificate("leaf");
    const auto expectMatches = [&](bool expected, const Bytes& keyInfo) {
        EXPECT_EQ(keyMatches(*leaf, keyInfo), expected);
        EXPECT_EQ(keyMatches(text("leaf.pem"), keyInfo), expected);
    };
    EVP_PKEY* key = X509_get0_pubkey(leaf.get());
    expectMatches(true, publicKeyInfoOf(*key));
    expectMatches(false, publicKeyInfoOf(*X509_get0_pubkey(certificate("issuing").get())));
    expectMatches(false, Bytes{});
    expectMatches(false, Bytes{0x30, 0x80});
}

TEST(KeyMatches, knowsACompressedPoint) {
    const hal::Pkey key(EVP_EC_gen("P-256"));
    ASSERT_EQ(EVP_PKEY_set_utf8_string_param(key.get(), "point-format", "compressed"), 1);
    const Bytes compressed = publicKeyInfoOf(*key);
    ASSERT_EQ(EVP_PKEY_set_utf8_string_param(key.get(), "point-format", "uncompressed"), 1);
    ASSERT_NE(publicKeyInfoOf(*key), compressed);
    const X509Ptr leaf = buildCa({.commonName = "gw.example.com"}, publicKeyInfoOf(*key), nullptr, *key);
    EXPECT_TRUE(keyMatches(toPem(*leaf), compressed));
}

}  // namespace
