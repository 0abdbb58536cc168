// A stop in the middle of a deployment: soon, and with nothing half done.
#include <gtest/gtest.h>

#include "certmgr/core/error.h"
#include "certmgr/deploy/deployer.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_probe.h"
#include "tests/support/fake_service_control.h"
#include "tests/support/test_issuer.h"

namespace certmgr::deploy {
namespace {

// A service that shows generation 1, and takes no other; a proof that is not stopped lasts for an hour.
class StopTest : public ::testing::Test {
  protected:
    StopTest() {
        profile_.name = "nginx";
        profile_.probes.front().timeout = std::chrono::hours(1);
        probe_.see = [this](const Identifier&) { return Seen{true, "", served_}; };
        control_.onReload = [this] { served_ = store_.chainSha256("nginx", name, 1); };
        EXPECT_EQ(deployer_.deploy(profile_, {target(1, 0)})[0].state, State::proved);
        control_.reloads.clear();
    }

    Deployer::Target target(std::int64_t generation, std::int64_t lastGood) const {
        return {issuer_.issue(name, generation), lastGood};
    }
    std::string codeOfDeployment(std::int64_t generation) {
        try {
            deployer_.deploy(profile_, {target(generation, 1)}, stop_.get_token());
        } catch (const Error& error) {
            return error.code();
        }
        return "";
    }

    static constexpr const char* name = "a.example";
    testing_support::TemporaryDirectory root_;
    testing_support::TestIssuer issuer_;
    testing_support::FakeServiceControl control_;
    testing_support::FakeProbe probe_;
    GenerationStore store_{root_ / "live"};
    Deployer deployer_{store_, control_, probe_};
    ServiceProfile profile_;
    std::vector<std::string> served_;
    std::stop_source stop_;
};

TEST_F(StopTest, BeforeTheReloadChangesNothing) {
    stop_.request_stop();
    EXPECT_EQ(codeOfDeployment(2), "cancelled");
    EXPECT_EQ(store_.active("nginx", name), 1);
    EXPECT_TRUE(control_.reloads.empty());
}

TEST_F(StopTest, DuringTheProofLeavesTheNewGenerationToTheNextRun) {
    control_.onReload = [this] { stop_.request_stop(); };
    EXPECT_EQ(codeOfDeployment(2), "cancelled");
    EXPECT_EQ(store_.active("nginx", name), 2);
    EXPECT_EQ(control_.reloads.size(), 1u);

    stop_ = {};
    control_.onReload = [this] { served_ = store_.chainSha256("nginx", name, 2); };
    EXPECT_EQ(deployer_.deploy(profile_, {target(2, 1)}, stop_.get_token())[0].state, State::proved);
}

TEST_F(StopTest, DuringARefusedReloadStillPutsTheOldGenerationBack) {
    control_.onReload = [this] {
        stop_.request_stop();
        throw Error(ErrorKind::misconfigured, "check-failed", "the check command says no");
    };
    EXPECT_EQ(codeOfDeployment(2), "cancelled");
    EXPECT_EQ(store_.active("nginx", name), 1);
}

}  // namespace
}  // namespace certmgr::deploy
