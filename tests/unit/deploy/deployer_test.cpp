#include "certmgr/deploy/deployer.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "certmgr/core/error.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_probe.h"
#include "tests/support/fake_service_control.h"
#include "tests/support/test_issuer.h"

namespace certmgr::deploy {
namespace {

Error failure(const std::string& code) {
    return {ErrorKind::misconfigured, code, "the test refuses: " + code};
}

// A service with two certificates: it loads what `current` points at when it is reloaded, and serves it.
class DeployerTest : public ::testing::Test {
  protected:
    static constexpr const char* first = "a.example";
    static constexpr const char* second = "b.example";

    DeployerTest() {
        profile_.name = "nginx";
        profile_.probes.front().timeout = std::chrono::milliseconds(30);
        probe_.see = [this](const Identifier& name) { return see(name.value); };
        control_.onReload = [this] { load(); };
    }

    void load() {
        for (const std::string name : {first, second})
            if (const auto active = store_.active("nginx", name); active && !ignores_.contains(name))
                served_[name] = store_.chainSha256("nginx", name, *active);
    }
    Seen see(const std::string& name) const {
        if (!up_) return {false, "Connection refused", {}};
        const auto chain = served_.find(name);
        return chain == served_.end() ? Seen{true, "no certificate", {}} : Seen{true, "", chain->second};
    }
    std::vector<Deployer::Target> targets(std::int64_t generation, std::int64_t lastGood) const {
        return {{issuer_.issue(first, generation), lastGood}, {issuer_.issue(second, generation), lastGood}};
    }
    // Generation 1 of both is proved.
    void start() {
        for (const Outcome& outcome : deployer_.deploy(profile_, targets(1, 0)))
            ASSERT_EQ(outcome.state, State::proved) << outcome.reason;
        control_.reloads.clear();
    }
    void expect(const Outcome& outcome, State state, std::int64_t current, const std::string& words) const {
        EXPECT_EQ(toString(outcome.state), toString(state)) << outcome.reason;
        EXPECT_EQ(outcome.current, current) << outcome.reason;
        EXPECT_EQ(store_.active("nginx", outcome.certificate).value_or(0), current);
        EXPECT_NE(outcome.reason.find(words), std::string::npos) << outcome.reason;
    }

    testing_support::TemporaryDirectory root_;
    testing_support::TestIssuer issuer_;
    testing_support::FakeServiceControl control_;
    testing_support::FakeProbe probe_;
    GenerationStore store_{root_ / "live"};
    Deployer deployer_{store_, control_, probe_};
    ServiceProfile profile_;
    bool up_ = true;
    std::map<std::string, std::vector<std::string>> served_;
    std::set<std::string> ignores_;
};

TEST_F(DeployerTest, ProvesAllWithOneReload) {
    start();
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(2, 1)))
        expect(outcome, State::proved, 2, "is served with its whole chain of 2");
    EXPECT_EQ(control_.reloads.size(), 1u);
}

TEST_F(DeployerTest, OneLookBeforeIsEnoughForAllThatAreAsTheyWereProved) {
    start();
    probe_.looks = 0;
    deployer_.deploy(profile_, targets(2, 1));
    EXPECT_EQ(probe_.looks, 3);
    probe_.looks = 0;
    deployer_.deploy(profile_, targets(3, 1));  // generation 2, which is active, is nowhere on record
    EXPECT_EQ(probe_.looks, 4);
}

TEST_F(DeployerTest, WhatIsActiveAndServedIsNotReloadedAgain) {
    const auto wanted = targets(2, 0);
    deployer_.deploy(profile_, wanted);
    control_.reloads.clear();
    for (const Outcome& outcome : deployer_.deploy(profile_, wanted))
        expect(outcome, State::proved, 2, "is served");
    EXPECT_TRUE(control_.reloads.empty());
}

TEST_F(DeployerTest, AfterACrashBetweenSwapAndReloadTheReloadIsMadeUpFor) {
    start();
    const auto wanted = targets(2, 1);
    for (const auto& target : wanted) {
        store_.write("nginx", target.item);
        store_.activate("nginx", target.item.credential.certificate, 2);
    }
    for (const Outcome& outcome : deployer_.deploy(profile_, wanted))
        expect(outcome, State::proved, 2, "is served");
    EXPECT_EQ(control_.reloads.size(), 1u);
}

TEST_F(DeployerTest, OldWorkersMayAnswerForAWhile) {
    start();
    int left = 3;
    const auto old = served_;
    profile_.probes.front().timeout = std::chrono::seconds(20);
    probe_.see = [&, this](const Identifier& name) {
        if (control_.reloads.empty() || left-- > 0) return Seen{true, "", old.at(name.value)};
        return see(name.value);
    };
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(2, 1)))
        expect(outcome, State::proved, 2, "is served");
}

TEST_F(DeployerTest, AnIgnoredReloadBringsTheOldOneBack) {
    start();
    ignores_ = {first, second};
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(2, 1))) {
        expect(outcome, State::rolledBack, 1, "expected");
        EXPECT_NE(outcome.reason.find("generation 1 is back; now"), std::string::npos) << outcome.reason;
        EXPECT_NE(outcome.reason.rfind("is served with its whole chain"), std::string::npos)
            << outcome.reason;
    }
    EXPECT_EQ(control_.reloads.size(), 2u);
}

TEST_F(DeployerTest, OnlyTheOneThatIsNotServedGoesBack) {
    start();
    ignores_ = {second};
    const auto outcomes = deployer_.deploy(profile_, targets(2, 1));
    expect(outcomes[0], State::proved, 2, "is served");
    expect(outcomes[1], State::rolledBack, 1, "generation 1 is back");
}

TEST_F(DeployerTest, AMissingIntermediateIsNoProof) {
    start();
    control_.onReload = [this] {
        load();
        if (store_.active("nginx", first) == 2) served_[first].pop_back();
    };
    const auto outcomes = deployer_.deploy(profile_, targets(2, 1));
    expect(outcomes[0], State::rolledBack, 1, "without 1 of its 1 intermediate");
    expect(outcomes[1], State::proved, 2, "is served");
}

TEST_F(DeployerTest, ACheckThatFailsTakesAllBackAndTheServiceIsNeverTold) {
    start();
    control_.onReload = [] { throw failure("check-failed"); };
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(2, 1)))
        expect(outcome, State::rolledBack, 1, "the test refuses: check-failed");
    EXPECT_EQ(control_.reloads.size(), 1u);
}

TEST_F(DeployerTest, AReloadThatFailsTakesAllBackWithASecondReload) {
    start();
    control_.onReload = [this] {
        if (control_.reloads.size() == 1) throw failure("reload-failed");
        load();
    };
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(2, 1)))
        expect(outcome, State::rolledBack, 1, "the test refuses: reload-failed");
    EXPECT_EQ(control_.reloads.size(), 2u);
}

TEST_F(DeployerTest, ASecondReloadThatFailsTooIsSaid) {
    start();
    control_.onReload = [] { throw failure("reload-failed"); };
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(2, 1)))
        expect(outcome, State::rolledBack, 1, "the service goes on with what it has loaded");
}

TEST_F(DeployerTest, AServiceThatIsDownWaits) {
    start();
    up_ = false;
    control_.onReload = [] { throw failure("service-inactive"); };
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(2, 1)))
        expect(outcome, State::waiting, 2, "generation 2 lies ready for the start of the service");
}

TEST_F(DeployerTest, AServiceThatIsDownGoesBackWhenItsOwnCheckRefusesTheFiles) {
    start();
    up_ = false;
    control_.onReload = [] { throw failure("check-failed"); };
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(2, 1)))
        expect(outcome, State::rolledBack, 1, "nothing answers");
}

TEST_F(DeployerTest, AServiceThatTheReloadTookDownGetsTheOldFilesBack) {
    start();
    control_.onReload = [this] { up_ = false; };
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(2, 1)))
        expect(outcome, State::rolledBack, 1, "nothing answers");
}

TEST_F(DeployerTest, WithNothingToGoBackToTheFilesStay) {
    control_.onReload = [] { throw failure("reload-failed"); };
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(1, 0)))
        expect(outcome, State::failed, 1, "these files stay");
}

TEST_F(DeployerTest, WhatWasSeenServedIsGoodEvenWhenNobodyRecordedIt) {
    start();
    ignores_ = {first, second};
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(2, 0)))
        expect(outcome, State::rolledBack, 1, "generation 1 is back");
}

TEST_F(DeployerTest, AGenerationThatIsGoneIsNothingToGoBackTo) {
    start();
    served_.clear();
    ignores_ = {first, second};
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(3, 2)))
        expect(outcome, State::failed, 3, "these files stay");
}

TEST_F(DeployerTest, WithoutAProbeNothingIsClaimed) {
    profile_.probes.clear();
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(1, 0)))
        expect(outcome, State::unproved, 1, "nobody has seen");
    control_.onReload = [] { throw failure("reload-failed"); };
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(2, 0)))
        expect(outcome, State::rolledBack, 1, "the test refuses");
    control_.onReload = [] { throw failure("service-inactive"); };
    for (const Outcome& outcome : deployer_.deploy(profile_, targets(3, 0)))
        expect(outcome, State::waiting, 3, "lies ready");
    EXPECT_EQ(probe_.looks, 0);
}

TEST_F(DeployerTest, AnErrorOnOurSideLeavesTheOldOnesActive) {
    start();
    auto wanted = targets(2, 1);
    wanted[1].item.subjectPublicKeyInfo = wanted[0].item.subjectPublicKeyInfo;
    EXPECT_THROW(deployer_.deploy(profile_, wanted), Error);
    EXPECT_EQ(store_.active("nginx", first), 1);
    EXPECT_TRUE(control_.reloads.empty());
}

TEST_F(DeployerTest, AnActivationThatFailsPutsTheOthersBack) {
    start();
    const std::filesystem::path link = root_ / "live/nginx/b.example/current";
    probe_.see = [&, this](const Identifier& name) {
        std::filesystem::remove(link);
        std::filesystem::create_directory(link);
        return see(name.value);
    };
    try {
        deployer_.deploy(profile_, targets(2, 1));
        FAIL() << "activating over a directory succeeded";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("generation 1 of b.example could not be put back"),
                  std::string::npos)
            << error.what();
    }
    EXPECT_EQ(store_.active("nginx", first), 1);
    EXPECT_TRUE(control_.reloads.empty());
}

TEST_F(DeployerTest, CheckChangesNothing) {
    const auto wanted = targets(1, 0);
    deployer_.deploy(profile_, wanted);
    control_.reloads.clear();
    for (const Outcome& outcome : deployer_.check(profile_, wanted))
        expect(outcome, State::proved, 1, "is served");
    for (const Outcome& outcome : deployer_.check(profile_, targets(2, 1)))
        expect(outcome, State::rolledBack, 1, "expected");
    served_[first] = {"something else"};
    expect(deployer_.check(profile_, wanted)[0], State::failed, 1, "something else is served");
    up_ = false;
    expect(deployer_.check(profile_, wanted)[0], State::waiting, 1, "nothing answers");
    EXPECT_TRUE(control_.reloads.empty());
}

}  // namespace
}  // namespace certmgr::deploy
