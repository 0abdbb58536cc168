#include "tests/unit/crypto_x509/fixtures.h"

namespace {

using namespace fixtures;
using namespace certmgr::crypto;

std::vector<std::string> subjects(const std::vector<X509Ptr>& chain) {
    std::vector<std::string> all;
    for (const X509Ptr& one : chain) all.push_back(summarize(*one).subject);
    return all;
}

TEST(OrderChain, sortsEveryPermutationAndDropsTheRoot) {
    const std::vector<std::string> expected{"CN=gw.example.com", "CN=Fixture issuing,O=Fixture"};
    std::vector<std::string> names{"issuing", "leaf", "root"};
    do {
        EXPECT_EQ(subjects(orderChain(certificates(names))), expected);
    } while (std::next_permutation(names.begin(), names.end()));
    EXPECT_EQ(subjects(orderChain(certificates({"leaf", "issuing", "leaf", "issuing"}))), expected);
}

TEST(OrderChain, keepsASelfSignedServerCertificate) {
    EXPECT_EQ(orderChain(certificates({"self"})).size(), 1U);
    EXPECT_EQ(orderChain(certificates({"leaf"})).size(), 1U);
}

TEST(OrderChain, namesWhatIsMissingOrDoesNotFit) {
    const auto order = [](const std::vector<std::string>& names) {
        return [names] { orderChain(certificates(names)); };
    };
    EXPECT_EQ(codeOf(order({"leaf", "root"})), "chain-incomplete");
    EXPECT_NE(messageOf(order({"leaf", "root"})).find("CN=Fixture issuing,O=Fixture"), std::string::npos);
    EXPECT_EQ(codeOf(order({"root"})), "chain-incomplete");
    EXPECT_EQ(codeOf(order({})), "chain-incomplete");
    EXPECT_EQ(codeOf(order({"leaf", "gnutls-leaf"})), "chain-unrelated");
    EXPECT_EQ(codeOf(order({"leaf", "cn-only", "issuing"})), "chain-unrelated");
    EXPECT_EQ(codeOf(order({"leaf", "issuing", "gnutls-root"})), "chain-incomplete");
}

TEST(VerifyChain, acceptsWhatOtherToolsMade) {
    EXPECT_NO_THROW(verifyChain(certificates({"leaf", "issuing"}), certificates({"root"}), now));
    EXPECT_NO_THROW(verifyChain(certificates({"gnutls-leaf"}), certificates({"root", "gnutls-root"}), now));
    EXPECT_NO_THROW(verifyChain(certificates({"leaf"}), certificates({"issuing"}), now))
        << "an anchor need be no root";
}

// RFC 5280 6.1.1 (d) takes an anchor's name and key alone; 4.2.1.3 asks a CA for keyUsage.
TEST(VerifyChain, letsAnAnchorAloneLackKeyUsage) {
    EXPECT_NO_THROW(verifyChain(certificates({"old-leaf"}), certificates({"old-root"}), now));
    EXPECT_EQ(codeOf([] {
                  verifyChain(certificates({"old-issued", "old-issuing"}), certificates({"old-root"}), now);
              }),
              "chain-invalid");
}

TEST(VerifyChain, refusesWithTheReasonAndTheSubject) {
    const auto verify = [](const std::vector<std::string>& chain, TimePoint at) {
        return [=] { verifyChain(certificates(chain), certificates({"root"}), at); };
    };
    for (const char* leaf : {"client", "ca-leaf", "sha1", "rsa1024", "self", "expired", "gnutls-leaf"})
        EXPECT_EQ(codeOf(verify({leaf, "issuing"}, now)), "chain-invalid") << leaf;
    EXPECT_EQ(codeOf(verify({"leaf"}, now)), "chain-invalid");
    EXPECT_EQ(codeOf(verify({}, now)), "chain-invalid");
    EXPECT_EQ(codeOf(verify({"leaf", "issuing"}, now + std::chrono::years(30))), "chain-invalid");
    const std::string message = messageOf(verify({"rsa1024", "issuing"}, now));
    EXPECT_NE(message.find("CN=gw.example.com"), std::string::npos) << message;
}

}  // namespace
