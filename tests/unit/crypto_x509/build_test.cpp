#include <set>

#include "tests/unit/crypto_x509/fixtures.h"

namespace {

using namespace fixtures;
using namespace certmgr::crypto;

struct Key {
    hal::Pkey pair;
    Bytes publicKey;
};

Key keyOf(hal::Pkey pair) {
    Bytes publicKey = publicKeyInfoOf(*pair);
    return {std::move(pair), std::move(publicKey)};
}
Key ec(const char* curve) {
    return keyOf(hal::Pkey(EVP_EC_gen(curve)));
}

class Build : public testing::Test {
  protected:
    Key rootKey = ec("P-384");
    Key issuingKey = ec("P-256");
    X509Ptr root = buildCa({"Test root", "Größe & Söhne", now, now + std::chrono::years(10), std::nullopt},
                           rootKey.publicKey, nullptr, *rootKey.pair);
    X509Ptr issuing = buildCa({"Test issuing", "", now, now + std::chrono::years(5), 0}, issuingKey.publicKey,
                              root.get(), *rootKey.pair);

    X509Ptr leafFor(const std::vector<Identifier>& names, const Key& key) const {
        return buildServerLeaf({names, now, now + std::chrono::days(90) - std::chrono::seconds(1)},
                               key.publicKey, *issuing, *issuingKey.pair);
    }
    static bool critical(const X509& certificate, int nid) {
        const int index = X509_get_ext_by_NID(&certificate, nid, -1);
        return index >= 0 && X509_EXTENSION_get_critical(X509_get_ext(&certificate, index)) == 1;
    }
};

TEST_F(Build, makesAChainThatOpensslAndTheProfileAccept) {
    std::vector<X509Ptr> chain;
    const X509Ptr leaf = leafFor({dns("gw.example.com"), ip("192.0.2.1"), ip("2001:db8::1")}, ec("P-256"));
    chain.push_back(std::move(parseChainPem(toPem(*leaf)).front()));
    chain.push_back(std::move(issuing));
    std::vector<X509Ptr> anchors;
    anchors.push_back(std::move(root));
    EXPECT_NO_THROW(verifyChain(chain, anchors, now));
    EXPECT_NO_THROW(verifyChain(chain, anchors, summarize(*chain[0]).notAfter));
    EXPECT_EQ(
        codeOf([&] { verifyChain(chain, anchors, summarize(*chain[0]).notAfter + std::chrono::seconds(1)); }),
        "chain-invalid");
}

TEST_F(Build, givesCasTheirConstraintsAndUsage) {
    EXPECT_EQ(X509_get_pathlen(root.get()), -1);
    EXPECT_EQ(X509_get_pathlen(issuing.get()), 0);
    for (X509* ca : {root.get(), issuing.get()}) {
        EXPECT_TRUE(critical(*ca, NID_basic_constraints) && critical(*ca, NID_key_usage));
        EXPECT_EQ(X509_get_key_usage(ca), static_cast<std::uint32_t>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
    }
    EXPECT_EQ(X509_get0_authority_key_id(root.get()), nullptr);
    EXPECT_EQ(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(issuing.get()),
                                    X509_get0_subject_key_id(root.get())),
              0);
    EXPECT_EQ(X509_get_signature_nid(root.get()), NID_ecdsa_with_SHA384);
}

TEST_F(Build, givesLeavesServerAuthAlone) {
    const X509Ptr leaf = leafFor({dns("gw.example.com")}, ec("P-256"));
    const X509Ptr rsa = leafFor({dns("gw.example.com")}, keyOf(hal::Pkey(EVP_RSA_gen(2048))));
    EXPECT_EQ(X509_get_extended_key_usage(leaf.get()), static_cast<std::uint32_t>(XKU_SSL_SERVER));
    EXPECT_EQ(X509_get_key_usage(leaf.get()), static_cast<std::uint32_t>(KU_DIGITAL_SIGNATURE));
    EXPECT_EQ(X509_get_key_usage(rsa.get()),
              static_cast<std::uint32_t>(KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT));
    EXPECT_EQ(X509_get_signature_nid(leaf.get()), NID_ecdsa_with_SHA256);
    EXPECT_EQ(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf.get()),
                                    X509_get0_subject_key_id(issuing.get())),
              0);
    EXPECT_EQ(summarize(*leaf).notAfter - summarize(*leaf).notBefore,
              std::chrono::days(90) - std::chrono::seconds(1));
}

TEST_F(Build, choosesTheCommonNameThatFits) {
    const std::string longName = std::string(60, 'a') + ".example.com";
    const Key key = ec("P-256");
    EXPECT_EQ(summarize(*leafFor({dns(longName), dns("b.example.com")}, key)).subject, "CN=b.example.com");
    EXPECT_EQ(summarize(*leafFor({ip("192.0.2.1")}, key)).subject, "CN=192.0.2.1");
    const X509Ptr unnamed = leafFor({dns(longName)}, key);
    EXPECT_EQ(summarize(*unnamed).subject, "");
    EXPECT_TRUE(critical(*unnamed, NID_subject_alt_name));
    EXPECT_FALSE(critical(*leafFor({dns("b.example.com")}, key), NID_subject_alt_name));
    EXPECT_EQ(summarize(*unnamed).names, std::vector{dns(longName)});
}

TEST_F(Build, drawsTenThousandSerialsWithoutARepetition) {
    std::set<std::string> serials;
    const Key key = ec("P-256");
    const Bytes before = toDer(*issuing);
    for (int i = 0; i < 10'000; ++i) {
        const X509Ptr leaf = leafFor({dns("gw.example.com")}, key);
        const ASN1_INTEGER* serial = X509_get0_serialNumber(leaf.get());
        ASSERT_LE(ASN1_STRING_length(serial), 20);
        ASSERT_EQ(ASN1_STRING_type(serial), V_ASN1_INTEGER) << "negative";
        serials.insert(summarize(*leaf).serial);
    }
    EXPECT_EQ(serials.size(), 10'000U);
    EXPECT_EQ(toDer(*issuing), before);
}

TEST_F(Build, writesUtcTimeUntil2049AndGeneralizedTimeFrom2050) {
    const TimePoint boundary = std::chrono::sys_days(std::chrono::year(2050) / 1 / 1);
    const X509Ptr leaf =
        buildServerLeaf({{dns("gw.example.com")}, boundary - std::chrono::seconds(1), boundary},
                        rootKey.publicKey, *issuing, *issuingKey.pair);
    EXPECT_EQ(ASN1_STRING_type(X509_get0_notBefore(leaf.get())), V_ASN1_UTCTIME);
    EXPECT_EQ(ASN1_STRING_type(X509_get0_notAfter(leaf.get())), V_ASN1_GENERALIZEDTIME);
    EXPECT_EQ(summarize(*leaf).notAfter, boundary);
}

TEST_F(Build, refusesWhatCannotBe) {
    const Key key = ec("P-256");
    const auto code = [](auto call) {
        try {
            call();
        } catch (const Error& error) {
            return error.code();
        }
        return std::string();
    };
    EXPECT_EQ(code([&] {
                  buildServerLeaf({{dns("a.example")}, now, now - std::chrono::seconds(1)}, key.publicKey,
                                  *issuing, *issuingKey.pair);
              }),
              "bad-validity");
    EXPECT_EQ(code([&] {
                  buildServerLeaf({{dns("a.example")}, now, now}, key.publicKey, *issuing, *key.pair);
              }),
              "bad-signature");
    EXPECT_EQ(code([&] {
                  buildServerLeaf({{dns("a.example")}, now, now}, Bytes{1, 2, 3}, *issuing, *issuingKey.pair);
              }),
              "bad-key");
    EXPECT_EQ(code([&] {
                  buildCa({"x", std::string(65, 'o'), now, now, {}}, key.publicKey, nullptr, *key.pair);
              }),
              "bad-subject");
}

TEST(Csr, carriesTheNamesAndASignature) {
    for (const char* curve : {"P-256", "P-384"}) {
        const Key key = ec(curve);
        const Bytes der = buildCsr(*key.pair, key.publicKey,
                                   {dns("*.gw.example.com"), dns("gw.example.com"), ip("192.0.2.1")});
        const testing_support::TemporaryDirectory folder;
        testing_support::writeFile(folder / "csr", std::string(der.begin(), der.end()));
        const auto result =
            testing_support::run({"openssl", "req", "-inform", "DER", "-in", (folder / "csr").string(),
                                  "-verify", "-noout", "-text", "-nameopt", "RFC2253"});
        EXPECT_EQ(result.status, 0);
        EXPECT_NE(result.output.find("verify OK"), std::string::npos) << result.output;
        EXPECT_NE(result.output.find("Subject: CN=*.gw.example.com"), std::string::npos) << result.output;
        EXPECT_NE(result.output.find("DNS:*.gw.example.com, DNS:gw.example.com, IP Address:192.0.2.1"),
                  std::string::npos);
    }
}

}  // namespace
