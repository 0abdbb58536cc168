// The CA over the real key daemon: signatures of X509_sign and X509_REQ_sign go through the provider.
#include <gtest/gtest.h>

#include "certmgr/authority/authority.h"
#include "hal/client/keyd_client.h"
#include "tests/support/child_process.h"
#include "tests/support/keyd_server.h"

namespace {

using namespace certmgr;
using namespace testing_support;

class OverKeyd : public testing::TestWithParam<hal::KeyAlgorithm> {
  protected:
    KeydServer server;
    hal::KeydClient keys{server.socketPath(), providerModule()};
    const TimePoint now = std::chrono::floor<seconds>(std::chrono::system_clock::now());
    const std::vector<Identifier> names{{Identifier::Type::dns, "gw.example.com"}};
};

TEST_P(OverKeyd, makesAChainThatVerifies) {
    authority::AuthoritySettings settings;
    settings.rootKeyAlgorithm = settings.issuingKeyAlgorithm = GetParam();
    const auto root = authority::makeRoot(keys, settings, "root-1", KeyId::fresh(), now);
    const auto issuing = authority::makeIssuing(keys, settings, "issuing-1", KeyId::fresh(), root, now);
    const authority::LeafSigner signer(keys, issuing, settings.leafLifetime);
    const auto leaf = keys.make(
        {.id = KeyId::fresh(), .algorithm = hal::KeyAlgorithm::ecP256, .access = {}, .label = "leaf"});
    const auto chain = crypto::parseChainPem(signer.sign(names, leaf.publicKey, now).chainPem);
    EXPECT_NO_THROW(crypto::verifyChain(chain, crypto::parseChainPem(root.certificatePem), now));
    EXPECT_TRUE(crypto::keyMatches(*chain.front(), leaf.publicKey));
}

TEST_P(OverKeyd, signsARequestThatOpensslVerifies) {
    const auto key =
        keys.make({.id = KeyId::fresh(), .algorithm = GetParam(), .access = {}, .label = "request"});
    const hal::Pkey handle = keys.open(key.id);
    const crypto::Bytes der = crypto::buildCsr(*handle, key.publicKey, names);
    const TemporaryDirectory folder;
    writeFile(folder / "csr", std::string(der.begin(), der.end()));
    const auto result =
        run({"openssl", "req", "-inform", "DER", "-in", (folder / "csr").string(), "-verify", "-noout"});
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.output.find("verify OK"), std::string::npos) << result.output;
}

INSTANTIATE_TEST_SUITE_P(Algorithms, OverKeyd,
                         testing::Values(hal::KeyAlgorithm::ecP256, hal::KeyAlgorithm::ecP384,
                                         hal::KeyAlgorithm::rsa2048),
                         [](const auto& algorithm) {
                             std::string name(hal::toString(algorithm.param));
                             name.erase(name.find('-'), 1);
                             return name;
                         });

}  // namespace
