// Fails, and then kills, the writing of a generation at its Nth system call, for every N.
#include <optional>

#include <gtest/gtest.h>

#include "certmgr/deploy/generation_store.h"
#include "tests/support/child_process.h"
#include "tests/support/test_issuer.h"

namespace certmgr::deploy {
namespace {

using testing_support::readFile;
using testing_support::run;
using testing_support::RunResult;
using testing_support::writeFile;

class DeployOneTest : public ::testing::Test {
  protected:
    DeployOneTest() {
        for (const int number : {1, 2}) {
            const auto folder = input(number);
            std::filesystem::create_directory(folder);
            const Item item = issuer_.issue("gw.example", number);
            writeFile(folder / "chain", item.credential.chainPem);
            writeFile(folder / "key", item.keyReferencePem);
            writeFile(folder / "public",
                      {item.subjectPublicKeyInfo.begin(), item.subjectPublicKeyInfo.end()});
        }
    }

    std::filesystem::path input(int number) const { return folder_ / ("pair" + std::to_string(number)); }
    std::filesystem::path certificate() const { return folder_ / "live/nginx/gw.example"; }

    std::vector<std::string> command(int number) const {
        return {DEPLOY_ONE, folder_ / "live", input(number), std::to_string(number)};
    }
    // One generation is active, then the second is deployed with `injection`. Empty: it came through
    // unharmed.
    std::optional<RunResult> deployWith(const std::string& injection,
                                        const std::vector<std::string>& filter = {}) const {
        std::filesystem::remove_all(folder_ / "live");
        EXPECT_EQ(run(command(1)).status, 0);
        std::vector<std::string> argv{"strace", "-f", "-o", folder_ / "trace", "-e", "inject=" + injection};
        argv.insert(argv.end(), filter.begin(), filter.end());
        const auto traced = command(2);
        argv.insert(argv.end(), traced.begin(), traced.end());
        testing_support::ChildProcess::Options options;
        options.environment["ASAN_OPTIONS"] = "detect_leaks=0";  // LeakSanitizer does not work under ptrace
        const RunResult result = run(argv, options);
        const std::string trace = readFile(folder_ / "trace");
        const bool hit =
            trace.find("(INJECTED)") != std::string::npos || trace.find("killed by") != std::string::npos;
        return hit ? std::optional(result) : std::nullopt;
    }
    void expectWholePair(const std::string& when) const {
        const auto current = certificate() / "current";
        const std::string chain = readFile(current / "fullchain.pem");
        const std::string key = readFile(current / "key.pem");
        EXPECT_TRUE(testing_support::pairMatches(chain, key)) << when;
        EXPECT_EQ(readFile(current / "cert.pem") + readFile(current / "chain.pem"), chain) << when;
        EXPECT_TRUE(chain == readFile(input(1) / "chain") || chain == readFile(input(2) / "chain")) << when;
    }
    void expectThatTheNextRunMends(const std::string& when) const {
        const RunResult again = run(command(2));
        EXPECT_EQ(again.status, 0) << when << ": " << again.output;
        EXPECT_EQ(readFile(certificate() / "current/fullchain.pem"), readFile(input(2) / "chain")) << when;
        for (const auto& folder : {certificate(), certificate() / "generations"})
            for (const auto& entry : std::filesystem::directory_iterator(folder))
                EXPECT_NE(entry.path().filename().string().front(), '.') << when << ": " << entry.path();
    }
    int sweep(const std::string& call, const std::string& fault) const {
        int hits = 0;
        while (true) {
            const std::string injection = call + ":" + fault + ":when=" + std::to_string(hits + 1);
            const auto result = deployWith(injection);
            expectWholePair(injection);
            expectThatTheNextRunMends(injection);
            if (!result) return hits;
            ++hits;
        }
    }

    testing_support::TemporaryDirectory folder_;
    testing_support::TestIssuer issuer_;
};

class SweepTest : public DeployOneTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(SweepTest, AnErrorLeavesAWholePair) {
    EXPECT_GT(sweep(GetParam(), "error=EIO"), 0);
}
TEST_P(SweepTest, AKillLeavesAWholePair) {
    EXPECT_GT(sweep(GetParam(), "signal=KILL"), 0);
}

INSTANTIATE_TEST_SUITE_P(Calls, SweepTest,
                         ::testing::Values("openat", "mkdirat", "fchmod", "write", "fsync", "symlinkat",
                                           "renameat", "unlinkat", "read", "getdents64"),
                         [](const auto& call) { return std::string(call.param); });

class RefusedDiskTest : public DeployOneTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(RefusedDiskTest, IsNamedAndChangesNothing) {
    const std::string parameter = GetParam();
    const auto result = deployWith(parameter.substr(0, parameter.find(' ')));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 1);
    EXPECT_TRUE(result->output.starts_with(parameter.substr(parameter.find(' ') + 1) + ":"))
        << result->output;
    EXPECT_EQ(readFile(certificate() / "current/fullchain.pem"), readFile(input(1) / "chain"));
    EXPECT_FALSE(std::filesystem::exists(certificate() / "generations/.2.tmp"));
}

TEST_F(DeployOneTest, ADiskThatIsFullIsNamedAndChangesNothing) {
    // Only this file's: a sanitizer writes too.
    const auto result =
        deployWith("write:error=ENOSPC", {"-P", certificate() / "generations/.2.tmp/key.pem"});
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 1);
    EXPECT_TRUE(result->output.starts_with("disk-full:")) << result->output;
    EXPECT_EQ(readFile(certificate() / "current/fullchain.pem"), readFile(input(1) / "chain"));
    EXPECT_FALSE(std::filesystem::exists(certificate() / "generations/.2.tmp"));
}

INSTANTIATE_TEST_SUITE_P(Errors, RefusedDiskTest,
                         ::testing::Values("fsync:error=EDQUOT disk-full", "mkdirat:error=EROFS read-only",
                                           "mkdirat:error=EACCES access-denied",
                                           "symlinkat:error=EACCES access-denied"));

}  // namespace
}  // namespace certmgr::deploy
