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

// What is said of the certificates alone.
UploadReport inspect(const std::string& pem, const std::vector<Identifier>& names, TimePoint at,
                     const std::vector<X509Ptr>& anchors = {}) {
    return inspectChain(parseChainPem(pem), names, at, anchors);
}

TEST(Upload, acceptsBlocksInAnyOrderWithRootAndKey) {
    const auto pem = together({"root.pem", "leaf.key", "issuing.pem", "leaf.pem"});
    const UploadReport report =
        inspect(pem, {dns("a.gw.example.com"), dns("gw.example.com"), ip("192.0.2.1")}, now);
    EXPECT_EQ(codes(report), Codes{});
    EXPECT_TRUE(report.acceptable());
    EXPECT_EQ(report.chain.size(), 2U);
    EXPECT_EQ(report.roots.size(), 1U);
    ASSERT_TRUE(report.leaf);
    EXPECT_EQ(report.leaf->subject, "CN=gw.example.com");
}

TEST(Upload, acceptsAChainWithoutItsRoot) {
    EXPECT_EQ(codes(inspect(together({"leaf.pem", "issuing.pem"}), {}, now)), Codes{});
    EXPECT_EQ(codes(inspect(together({"gnutls-leaf.pem", "gnutls-root.pem"}), {}, now)), Codes{});
    EXPECT_EQ(codes(inspect(text("gnutls-leaf.pem"), {}, now, certificates({"gnutls-root"}))), Codes{});
}

TEST(Upload, holdsAgainstTheAnchors) {
    const auto pem = together({"leaf.pem", "issuing.pem"});
    EXPECT_EQ(codes(inspect(pem, {}, now, certificates({"root"}))), Codes{});
    EXPECT_EQ(codes(inspect(pem, {}, now, certificates({"gnutls-root"}))), Codes{"chain-invalid"});
}

TEST(Upload, namesTheMissingIssuer) {
    const UploadReport report = inspect(text("leaf.pem"), {}, now);
    ASSERT_EQ(codes(report), Codes{"chain-incomplete"});
    EXPECT_NE(report.findings.front().message.find("CN=Fixture issuing,O=Fixture"), std::string::npos);
    EXPECT_EQ(codes(inspect(together({"leaf.pem", "root.pem"}), {}, now)), Codes{"chain-incomplete"});
}

TEST(Upload, hasAFindingForEachFault) {
    const auto with = [](const std::string& leaf) {
        return codes(inspect(together({leaf, "issuing.pem", "root.pem"}), {}, now));
    };
    EXPECT_EQ(with("client.pem"), Codes{"wrong-usage"});
    EXPECT_EQ(with("sha1.pem"), Codes{"weak-signature"});
    EXPECT_EQ(with("rsa1024.pem"), Codes{"weak-key"});
    EXPECT_EQ(with("ca-leaf.pem"), (Codes{"ca-as-leaf", "wrong-usage"}));
    EXPECT_EQ(codes(inspect(text("self.pem"), {}, now)), Codes{"self-signed"});
}

TEST(Upload, acceptsAnOldRootWithoutKeyUsage) {
    EXPECT_EQ(codes(inspect(together({"old-leaf.pem", "old-root.pem"}), {}, now)), Codes{});
}

TEST(Upload, saysBeforehandThatAKeyCannotBeKept) {
    const UploadReport report = inspect(together({"p521.pem", "old-root.pem"}), {}, now);
    ASSERT_EQ(codes(report), Codes{"key-not-supported"});
    EXPECT_NE(report.findings.front().message.find("is ec-p521; the key store of this box takes rsa-2048"),
              std::string::npos)
        << report.findings.front().message;
    EXPECT_EQ(codes(inspect(together({"ed25519.pem", "old-root.pem"}), {}, now)), Codes{});
}

TEST(Upload, collectsAllFaultsAtOnce) {
    const UploadReport report = inspect(text("expired.pem"), {dns("other.example.com")}, now);
    EXPECT_EQ(codes(report), (Codes{"self-signed", "expired", "names-not-covered"}));
    const UploadReport early =
        inspect(together({"rsa1024.pem", "issuing.pem"}), {dns("x.example")}, now - std::chrono::years(2));
    EXPECT_EQ(codes(early), (Codes{"weak-key", "not-yet-valid", "names-not-covered"}));
    EXPECT_EQ(codes(inspect(together({"leaf.pem", "rsa1024.pem", "issuing.pem"}), {}, now)),
              (Codes{"chain-unrelated", "weak-key"}))
        << "without an order each certificate is still judged";
}

TEST(Upload, refusesACaWithItsOwnWord) {
    EXPECT_EQ(codes(inspect(text("root.pem"), {}, now)), Codes{"ca-as-leaf"});
}

}  // namespace
