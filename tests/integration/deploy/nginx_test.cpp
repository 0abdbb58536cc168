// The Deployer on a real nginx with two names.
#include <gtest/gtest.h>
#include <signal.h>

#include "certmgr/core/error.h"
#include "certmgr/deploy/deployer.h"
#include "certmgr/deploy/tls_probe.h"
#include "hal/systemd/command_service_control.h"
#include "tests/integration/deploy/https_hammer.h"
#include "tests/support/nginx_server.h"
#include "tests/support/test_issuer.h"

namespace certmgr::deploy {
namespace {

using std::chrono::seconds;
using Targets = std::vector<Deployer::Target>;

constexpr const char* first = "a.example";
constexpr const char* second = "b.example";

class NginxDeploymentTest : public ::testing::Test {
  protected:
    NginxDeploymentTest() {
        profile_.name = "nginx";
        profile_.probes.front().port = nginx_.port("https");
        profile_.probes.front().timeout = seconds(20);
        profile_.handle.checkCommand = nginxCommand({"-t"});
        profile_.handle.reloadCommand = nginxCommand({"-s", "reload"});
        configure("");
    }

    std::vector<std::string> nginxCommand(const std::vector<std::string>& what) const {
        std::vector<std::string> argv{"nginx", "-e", nginx_.folder() / "error.log", "-c",
                                      nginx_.configuration()};
        argv.insert(argv.end(), what.begin(), what.end());
        return argv;
    }
    static std::string server(const std::string& name, const std::string& folder) {
        return "server { listen 127.0.0.1:@port:https@ ssl; server_name " + name + "; ssl_certificate " +
               folder + "/fullchain.pem; ssl_certificate_key " + folder +
               "/key.pem; location / { return 200 \"ok\"; } }\n";
    }
    std::string live(const std::string& name) const { return liveFolder() / "nginx" / name / "current"; }
    std::filesystem::path liveFolder() const { return nginx_.folder() / "live"; }
    void configure(const std::string& more) {
        nginx_.configure(server(first, live(first)) + server(second, live(second)) + more);
    }
    Targets targets(std::int64_t generation, std::int64_t lastGood) const {
        return {{issuer_.issue(first, generation), lastGood}, {issuer_.issue(second, generation), lastGood}};
    }
    std::string served(const std::string& name) {
        const Seen seen = probe_.look(profile_.probes.front(), {Identifier::Type::dns, name}, {});
        return seen.chainSha256.empty() ? seen.problem : seen.chainSha256.front();
    }
    static std::string leafOf(const Deployer::Target& target) {
        return testing_support::fingerprint(target.item.credential.chainPem);
    }
    // Generation 1 is on the disk before nginx starts, and then proved.
    Targets start() {
        const Targets one = targets(1, 0);
        for (const Outcome& outcome : deployer_.deploy(profile_, one))
            EXPECT_EQ(toString(outcome.state), "waiting");
        nginx_.start();
        for (const Outcome& outcome : deployer_.deploy(profile_, one))
            EXPECT_EQ(toString(outcome.state), "proved") << outcome.reason;
        return one;
    }
    void expectBack(const Outcome& outcome, const Deployer::Target& old, const std::string& words) {
        EXPECT_EQ(toString(outcome.state), "rolled-back") << outcome.reason;
        EXPECT_EQ(outcome.current, 1);
        EXPECT_EQ(store_.active("nginx", outcome.certificate), 1);
        EXPECT_EQ(served(outcome.certificate), leafOf(old));
        EXPECT_NE(outcome.reason.find(words), std::string::npos) << outcome.reason;
        EXPECT_NE(outcome.reason.find("generation 1 is back"), std::string::npos) << outcome.reason;
    }

    testing_support::NginxServer nginx_;
    testing_support::TestIssuer issuer_;
    GenerationStore store_{liveFolder()};
    hal::CommandServiceControl control_;
    TlsProbe probe_;
    Deployer deployer_{store_, control_, probe_};
    ServiceProfile profile_;
};

TEST_F(NginxDeploymentTest, TenDeploymentsUnderFireLoseNoRequest) {
    ::signal(SIGPIPE, SIG_IGN);  // for the hammer's plain sockets
    const Targets one = start();
    testing_support::HttpsHammer hammer(profile_.probes.front().port, first);
    testing_support::waitUntil("a first connection", [&] { return hammer.hasSeen(leafOf(one[0])); });
    for (std::int64_t generation = 2; generation <= 11; ++generation) {
        const Targets wanted = targets(generation, generation - 1);
        for (const Outcome& outcome : deployer_.deploy(profile_, wanted))
            ASSERT_EQ(toString(outcome.state), "proved") << outcome.reason;
        testing_support::waitUntil("the new leaf", [&] { return hammer.hasSeen(leafOf(wanted[0])); });
        store_.prune("nginx", first, {generation - 1});
    }
    const auto result = hammer.stop();
    EXPECT_TRUE(result.failures.empty())
        << result.failures.size() << " failures, the first: " << result.failures[0];
    EXPECT_EQ(result.leaves.size(), 11u);
    EXPECT_GT(result.requestsOnLongSessions, result.longSessions);
    RecordProperty("connections", result.connections);
    RecordProperty("requestsOnLongSessions", result.requestsOnLongSessions);
    RecordProperty("longSessions", result.longSessions);
}

TEST_F(NginxDeploymentTest, ABrokenConfigurationLeavesTheOldOneServed) {
    const Targets one = start();
    configure("this is no directive;\n");
    const auto outcomes = deployer_.deploy(profile_, targets(2, 1));
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        expectBack(outcomes[i], one[i], "unknown directive \"this\"");
}

TEST_F(NginxDeploymentTest, AReloadThatIsIgnoredIsFoundOut) {
    const Targets one = start();
    profile_.handle.reloadCommand = {"true"};
    profile_.probes.front().timeout = std::chrono::milliseconds(500);
    const Targets two = targets(2, 1);
    const auto outcomes = deployer_.deploy(profile_, two);
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        expectBack(outcomes[i], one[i],
                   "the certificate " + leafOf(one[i]).substr(0, 16) + " is served, expected " +
                       leafOf(two[i]).substr(0, 16));
}

TEST_F(NginxDeploymentTest, AServiceThatIsDownWaitsAndIsProvedWhenItStarts) {
    start();
    nginx_.stop();
    const Targets two = targets(2, 1);
    for (const Outcome& outcome : deployer_.deploy(profile_, two)) {
        EXPECT_EQ(toString(outcome.state), "waiting") << outcome.reason;
        EXPECT_EQ(outcome.current, 2);
    }
    nginx_.start();
    for (const Outcome& outcome : deployer_.check(profile_, two))
        EXPECT_EQ(toString(outcome.state), "proved");
}

TEST_F(NginxDeploymentTest, OnlyTheNameThatIsServedFromElsewhereGoesBack) {
    const Targets one = start();
    const std::string elsewhere = nginx_.folder() / "elsewhere";
    std::filesystem::copy(std::filesystem::canonical(live(second)), elsewhere);
    nginx_.configure(server(first, live(first)) + server(second, elsewhere));
    nginx_.reload();
    profile_.probes.front().timeout = std::chrono::seconds(2);
    const Targets two = targets(2, 1);
    const auto outcomes = deployer_.deploy(profile_, two);
    EXPECT_EQ(toString(outcomes[0].state), "proved") << outcomes[0].reason;
    EXPECT_EQ(served(first), leafOf(two[0]));
    expectBack(outcomes[1], one[1], "is served, expected");
}

TEST_F(NginxDeploymentTest, AServerThatSendsTheLeafOnlyIsNoProof) {
    const Targets one = start();
    for (const std::string name : {first, second})
        std::filesystem::copy(std::filesystem::canonical(live(name)), nginx_.folder() / name);
    nginx_.configure("server { listen 127.0.0.1:@port:https@ ssl; ssl_certificate " + live(first) +
                     "/cert.pem; ssl_certificate_key " + live(first) + "/key.pem; }\n");
    nginx_.reload();
    profile_.probes.front().timeout = std::chrono::milliseconds(500);
    const auto outcome = deployer_.deploy(profile_, {targets(2, 1)[0]})[0];
    expectBack(outcome, one[0], "without 1 of its 1 intermediate");
}

TEST_F(NginxDeploymentTest, AKeyThatDoesNotFitIsRefusedBeforeAnythingIsTouched) {
    const Targets one = start();
    Targets two = targets(2, 1);
    two[1].item.keyReferencePem = two[0].item.keyReferencePem;
    try {
        deployer_.deploy(profile_, two);
        FAIL() << "a key that does not fit was deployed";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "pair-mismatch");
    }
    for (const Deployer::Target& target : one) {
        EXPECT_EQ(store_.active("nginx", target.item.credential.certificate), 1);
        EXPECT_EQ(served(target.item.credential.certificate), leafOf(target));
    }
}

}  // namespace
}  // namespace certmgr::deploy
