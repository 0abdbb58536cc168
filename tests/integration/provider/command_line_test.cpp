// The openssl command with a reference in the place of a key file.
#include <gtest/gtest.h>

#include "tests/integration/provider/key_daemon.h"
#include "tests/integration/provider/tls_site.h"

namespace provider_test {
namespace {

using hal::KeyAlgorithm;
using testing_support::readFile;
using testing_support::writeFile;

class OpensslCommand : public testing::TestWithParam<KeyAlgorithm> {
  protected:
    OpensslCommand() {
        writeFile(folder_ / "openssl.cnf", opensslConfiguration());
        writeFile(folder_ / "key.pem", reference_);
        writeFile(folder_ / "message", "message");
    }

    testing_support::RunResult openssl(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "openssl");
        return testing_support::run(
            arguments, {.environment = serviceEnvironment(folder_ / "openssl.cnf"), .output = {}, .uid = {}});
    }
    std::string file(const std::string& name) const { return folder_ / name; }

    testing_support::TemporaryDirectory folder_;
    const std::string& reference_ = KeyDaemon::shared().reference(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Algorithm, OpensslCommand,
                         testing::Values(KeyAlgorithm::ecP256, KeyAlgorithm::rsa2048),
                         [](const auto& algorithm) { return algorithm.index == 0 ? "Ec" : "Rsa"; });

TEST_P(OpensslCommand, WritesThePublicKey) {
    const auto result = openssl({"pkey", "-in", file("key.pem"), "-pubout"});
    EXPECT_EQ(result.status, 0) << result.output;
    const OpensslService service;
    EXPECT_EQ(result.output, writePublicKey(service.load(reference_)));
}

TEST_P(OpensslCommand, MakesAndVerifiesARequest) {
    const auto made = openssl({"req", "-new", "-key", file("key.pem"), "-subj", "/CN=a.example", "-config",
                               file("openssl.cnf"), "-out", file("request.pem")});
    ASSERT_EQ(made.status, 0) << made.output;
    const auto verified = openssl({"req", "-in", file("request.pem"), "-verify", "-noout"});
    EXPECT_EQ(verified.status, 0) << verified.output;
    EXPECT_NE(verified.output.find("verify OK"), std::string::npos) << verified.output;
}

TEST_P(OpensslCommand, SignsAFile) {
    ASSERT_EQ(openssl({"pkey", "-in", file("key.pem"), "-pubout", "-out", file("public.pem")}).status, 0);
    const auto made =
        openssl({"dgst", "-sha256", "-sign", file("key.pem"), "-out", file("signature"), file("message")});
    ASSERT_EQ(made.status, 0) << made.output;
    const auto verified = openssl(
        {"dgst", "-sha256", "-verify", file("public.pem"), "-signature", file("signature"), file("message")});
    EXPECT_EQ(verified.output, "Verified OK\n");
}

}  // namespace
}  // namespace provider_test
