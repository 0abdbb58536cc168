#include "certmgr/crypto/upload.h"

#include <set>

#include "tests/unit/crypto_x509/fixtures.h"

namespace {

using namespace fixtures;
using namespace certmgr::crypto;

std::string together(const std::vector<std::string>& names) {
    std::string pem;
    for (const std::string& name : names) pem += text(name);
    return pem;
}

std::set<std::string> codes(const UploadReport& report) {
    std::set<std::string> all;
    for (const Finding& finding : report.findings) {
        all.insert(finding.code);
        EXPECT_GT(finding.message.size(), 20U) << finding.code;
    }
    return all;
}

using Codes = std::set<std::string>;

TEST(Upload, acceptsBlocksInAnyOrderWithRootAndKey) {
    const auto pem = together({"root.pem", "leaf.key", "issuing.pem", "leaf.pem"});
    const UploadReport report =
        inspectUpload(pem, {dns("a.gw.example.com"), dns("gw.example.com"), ip("192.0.2.1")}, now);
    EXPECT_EQ(codes(report), Codes{});
    EXPECT_TRUE(report.acceptable());
    EXPECT_EQ(report.chain.size(), 2U);
    EXPECT_EQ(report.roots.size(), 1U);
    EXPECT_EQ(report.privateKeys, 1U);
    ASSERT_TRUE(report.leaf);
    EXPECT_EQ(report.leaf->subject, "CN=gw.example.com");
}

TEST(Upload, acceptsAChainWithoutItsRoot) {
    EXPECT_EQ(codes(inspectUpload(together({"leaf.pem", "issuing.pem"}), {}, now)), Codes{});
    EXPECT_EQ(codes(inspectUpload(together({"gnutls-leaf.pem", "gnutls-root.pem"}), {}, now)), Codes{});
    EXPECT_EQ(codes(inspectUpload(text("gnutls-leaf.pem"), {}, now, certificates({"gnutls-root"}))), Codes{});
}

TEST(Upload, holdsAgainstTheAnchors) {
    const auto pem = together({"leaf.pem", "issuing.pem"});
    EXPECT_EQ(codes(inspectUpload(pem, {}, now, certificates({"root"}))), Codes{});
    EXPECT_EQ(codes(inspectUpload(pem, {}, now, certificates({"gnutls-root"}))), Codes{"chain-invalid"});
}

TEST(Upload, namesTheMissingIssuer) {
    const UploadReport report = inspectUpload(text("leaf.pem"), {}, now);
    ASSERT_EQ(codes(report), Codes{"chain-incomplete"});
    EXPECT_NE(report.findings.front().message.find("CN=Fixture issuing,O=Fixture"), std::string::npos);
    EXPECT_EQ(codes(inspectUpload(together({"leaf.pem", "root.pem"}), {}, now)), Codes{"chain-incomplete"});
}

TEST(Upload, hasAFindingForEachFault) {
    const auto with = [](const std::string& leaf) {
        return codes(inspectUpload(together({leaf, "issuing.pem", "root.pem"}), {}, now));
    };
    EXPECT_EQ(with("client.pem"), Codes{"wrong-usage"});
    EXPECT_EQ(with("sha1.pem"), Codes{"weak-signature"});
    EXPECT_EQ(with("rsa1024.pem"), Codes{"weak-key"});
    EXPECT_EQ(with("ca-leaf.pem"), (Codes{"ca-as-leaf", "wrong-usage"}));
    EXPECT_EQ(codes(inspectUpload(text("self.pem"), {}, now)), Codes{"self-signed"});
    EXPECT_EQ(codes(inspectUpload("", {}, now)), Codes{"bad-pem"});
}

TEST(Upload, acceptsAnOldRootWithoutKeyUsage) {
    EXPECT_EQ(codes(inspectUpload(together({"old-leaf.pem", "old-root.pem"}), {}, now)), Codes{});
}

TEST(Upload, saysBeforehandThatAKeyCannotBeKept) {
    EXPECT_EQ(codes(inspectUpload(together({"p521.pem", "old-root.pem"}), {}, now)),
              Codes{"key-not-supported"});
    EXPECT_EQ(codes(inspectUpload(together({"ed25519.pem", "old-root.pem"}), {}, now)), Codes{});
}

TEST(Upload, collectsAllFaultsAtOnce) {
    const UploadReport report = inspectUpload(text("expired.pem"), {dns("other.example.com")}, now);
    EXPECT_EQ(codes(report), (Codes{"self-signed", "expired", "names-not-covered"}));
    const UploadReport early = inspectUpload(together({"rsa1024.pem", "issuing.pem"}), {dns("x.example")},
                                             now - std::chrono::years(2));
    EXPECT_EQ(codes(early), (Codes{"weak-key", "not-yet-valid", "names-not-covered"}));
    EXPECT_EQ(codes(inspectUpload(together({"leaf.pem", "rsa1024.pem", "issuing.pem"}), {}, now)),
              (Codes{"chain-unrelated", "weak-key"}))
        << "without an order each certificate is still judged";
}

TEST(Upload, isBounded) {
    std::string thousand;
    for (int i = 0; i < 1000; ++i) thousand += text("leaf.pem");
    EXPECT_EQ(codes(inspectUpload(thousand, {}, now)), Codes{"too-large"});
}

TEST(KeyPem, isComparedWithTheLeaf) {
    const auto leaf = certificate("leaf");
    EXPECT_TRUE(keyPemMatches(text("leaf.key"), *leaf));
    EXPECT_TRUE(keyPemMatches(text("leaf-traditional.key") + text("leaf.pem"), *leaf));
    EXPECT_FALSE(keyPemMatches(text("other.key"), *leaf));
}

TEST(KeyPem, isRefusedWithItsOwnMessage) {
    const auto leaf = certificate("leaf");
    const auto code = [&](const std::string& pem) { return codeOf([&] { keyPemMatches(pem, *leaf); }); };
    EXPECT_EQ(code(text("leaf-encrypted.key")), "encrypted-key");
    EXPECT_EQ(code(text("leaf.pem")), "no-key");
    EXPECT_EQ(code(text("leaf.key") + text("other.key")), "two-keys");
    EXPECT_EQ(code("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "bad-key");
    const std::string key = text("leaf.key");
    for (std::size_t size = 0; size + 1 < key.size(); ++size)
        ASSERT_NE(code(key.substr(0, size)), "") << size;
    EXPECT_EQ(messageOf([&] { keyPemMatches(key.substr(0, 100), *leaf); }).find(key.substr(40, 20)),
              std::string::npos);
}

}  // namespace
