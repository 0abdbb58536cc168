#include "certmgr/authority/authority.h"

#include <thread>

#include <gtest/gtest.h>

#include "tests/support/memory_key_store.h"

namespace {

using namespace certmgr;
using namespace certmgr::authority;
using std::chrono::days;
using std::chrono::hours;
using testing_support::MemoryKeyStore;

const TimePoint now = std::chrono::sys_days(std::chrono::year(2027) / 1 / 1);
const std::vector<Identifier> names{{Identifier::Type::dns, "gw.example.com"},
                                    {Identifier::Type::ip, "192.0.2.1"}};

class Authority : public testing::Test {
  protected:
    MemoryKeyStore keys;
    AuthoritySettings settings;
    AuthorityRecord root = makeRoot(keys, settings, "root-1", KeyId::fresh(), now);
    AuthorityRecord issuing = makeIssuing(keys, settings, "issuing-1", KeyId::fresh(), root, now);

    hal::Bytes leafKey() {
        return keys
            .make(
                {.id = KeyId::fresh(), .algorithm = hal::KeyAlgorithm::ecP256, .access = {}, .label = "leaf"})
            .publicKey;
    }
    static std::vector<crypto::X509Ptr> anchors(const AuthorityRecord& authority) {
        return crypto::parseChainPem(authority.certificatePem);
    }
    template <class Call>
    static std::string codeOf(Call call) {
        try {
            call();
        } catch (const Error& error) {
            return error.code();
        }
        return {};
    }
};

TEST_F(Authority, recordsWhatItMade) {
    EXPECT_EQ(root.role, AuthorityRole::root);
    EXPECT_EQ(root.parent, "");
    EXPECT_EQ(issuing.role, AuthorityRole::issuing);
    EXPECT_EQ(issuing.parent, "root-1");
    EXPECT_EQ(issuing.summary.issuer, root.summary.subject);
    EXPECT_EQ(root.summary.subject.find("CN=certmgr root CA "), 0U) << root.summary.subject;
    EXPECT_NE(root.summary.subject.find(",O=certmgr"), std::string::npos);
    EXPECT_EQ(root.summary.notBefore, now - hours(1));
    EXPECT_EQ(root.summary.notAfter - root.summary.notBefore, days(3650) - seconds(1));
    EXPECT_EQ(keys.find(root.key)->algorithm, hal::KeyAlgorithm::ecP384);
}

TEST_F(Authority, isNamedApartFromAnotherBoxs) {
    const AuthorityRecord other = makeRoot(keys, settings, "root-1", KeyId::fresh(), now);
    EXPECT_NE(other.summary.subject, root.summary.subject);
    EXPECT_NE(other.summary.serial, root.summary.serial);
}

TEST_F(Authority, signsLeavesThatVerifyUpToTheRoot) {
    const LeafSigner signer(keys, issuing, settings.leafLifetime);
    const hal::Bytes key = leafKey();
    const auto chain = crypto::parseChainPem(signer.sign(names, key, now).chainPem);
    ASSERT_EQ(chain.size(), 2U);
    EXPECT_NO_THROW(crypto::verifyChain(chain, anchors(root), now));
    EXPECT_TRUE(crypto::keyMatches(*chain[0], key));
    const CertificateSummary leaf = crypto::summarize(*chain[0]);
    EXPECT_EQ(leaf.names, names);
    EXPECT_EQ(leaf.notBefore, now - hours(1));
    EXPECT_EQ(leaf.notAfter - leaf.notBefore, days(90) - seconds(1));
    const AuthorityRecord other = makeRoot(keys, settings, "root-2", KeyId::fresh(), now);
    EXPECT_EQ(codeOf([&] { crypto::verifyChain(chain, anchors(other), now); }), "chain-invalid");
}

TEST_F(Authority, staysWithinItsIssuersValidity) {
    const LeafSigner signer(keys, issuing, settings.leafLifetime);
    const auto leafAt = [&](TimePoint at) { return signer.sign(names, leafKey(), at).summary; };
    EXPECT_EQ(leafAt(now).notBefore, issuing.summary.notBefore);
    EXPECT_EQ(leafAt(now - hours(5)).notBefore, issuing.summary.notBefore);
    EXPECT_EQ(leafAt(issuing.summary.notAfter - days(3)).notAfter, issuing.summary.notAfter);
    EXPECT_EQ(codeOf([&] { leafAt(issuing.summary.notAfter + seconds(1)); }), "authority-expired");
    AuthoritySettings longer = settings;
    longer.issuingLifetime = days(9000);
    EXPECT_EQ(makeIssuing(keys, longer, "issuing-2", KeyId::fresh(), root, now).summary.notAfter,
              root.summary.notAfter);
}

TEST_F(Authority, makesAnInspectionCaBelowTheRoot) {
    const hal::Bytes key = leafKey();
    const SignedLeaf made = signInspectionCa(keys, settings, root, issuing.certificatePem, key, now);
    const auto chain = crypto::parseChainPem(made.chainPem);
    ASSERT_EQ(chain.size(), 2U) << "with what shall follow it";
    EXPECT_TRUE(crypto::keyMatches(*chain[0], key)) << "the proxy's own key";
    EXPECT_EQ(X509_check_ca(chain[0].get()), 1);
    EXPECT_EQ(X509_get_pathlen(chain[0].get()), 0);
    EXPECT_EQ(X509_get_key_usage(chain[0].get()), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    EXPECT_EQ(X509_get_extended_key_usage(chain[0].get()), XKU_SSL_SERVER);
    EXPECT_EQ(made.summary.issuer, root.summary.subject);
    EXPECT_EQ(made.summary.subject.find("CN=certmgr inspection CA "), 0U) << made.summary.subject;
    EXPECT_EQ(made.summary.names, std::vector<Identifier>{}) << "it is for no server";
    EXPECT_EQ(made.summary.notAfter, issuing.summary.notAfter);
    const auto late = root.summary.notAfter - days(3);
    EXPECT_EQ(signInspectionCa(keys, settings, root, {}, key, late).summary.notAfter, root.summary.notAfter);
    keys.destroy(root.key);
    EXPECT_EQ(codeOf([&] { signInspectionCa(keys, settings, root, {}, key, now); }), "key-not-found");
}

// The crash between the key and the record: the id was stored first, so the same key comes again.
TEST_F(Authority, usesTheKeyThatACrashLeft) {
    const KeyId id = KeyId::fresh();
    const AuthorityRecord first = makeIssuing(keys, settings, "issuing-2", id, root, now);
    const std::size_t before = keys.list().size();
    const AuthorityRecord again = makeIssuing(keys, settings, "issuing-2", id, root, now);
    EXPECT_EQ(keys.list().size(), before);
    EXPECT_EQ(again.summary.subject, first.summary.subject);
}

TEST_F(Authority, refusesARecordWhoseKeyIsGoneOrAnother) {
    AuthorityRecord wrong = issuing;
    wrong.key = root.key;
    EXPECT_EQ(codeOf([&] { LeafSigner(keys, wrong, days(90)); }), "key-mismatch");
    keys.destroy(issuing.key);
    EXPECT_EQ(codeOf([&] { LeafSigner(keys, issuing, days(90)); }), "key-not-found");
    keys.destroy(root.key);
    EXPECT_EQ(codeOf([&] { makeIssuing(keys, settings, "issuing-2", KeyId::fresh(), root, now); }),
              "key-not-found");
}

TEST_F(Authority, signsFromSeveralThreads) {
    const LeafSigner signer(keys, issuing, settings.leafLifetime);
    const hal::Bytes key = leafKey();
    std::array<std::string, 4> chains;
    {
        std::vector<std::jthread> threads;
        for (std::string& chain : chains)
            threads.emplace_back([&] {
                for (int i = 0; i < 25; ++i) chain = signer.sign(names, key, now).chainPem;
            });
    }
    for (const std::string& chain : chains)
        EXPECT_NO_THROW(crypto::verifyChain(crypto::parseChainPem(chain), anchors(root), now));
}

}  // namespace
