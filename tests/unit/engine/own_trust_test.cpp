// The box's own roots in its trust store: what is wanted, what the unit was told, what the bundle has.
#include <atomic>

#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

class OwnTrustTest : public EngineTest {
  protected:
    OwnTrustTest() {
        settings.cas.clear();
        settings.systemTrustFile = folder / "bundle.pem";
        testing_support::writeFile(settings.systemTrustFile, "");
    }

    // certmgr-trust.service on a box that trusts nobody else.
    void haveUnit() {
        service->onInstall = [this](const std::string& unit) {
            EXPECT_EQ(unit, "certmgr-trust.service");
            ++runs;
            if (broken) throw Error(ErrorKind::misconfigured, "install-failed", "the unit failed");
            testing_support::writeFile(settings.systemTrustFile,
                                       testing_support::readFile(folder / "authority/system-trust.pem"));
        };
    }
    void startWithUnit() {
        startEngine();
        haveUnit();
    }
    JobView asked(bool trusted) {
        const std::string id = engine->trustOwnRoots(trusted);
        settle();
        return job(id);
    }
    std::string bundle() const { return testing_support::readFile(settings.systemTrustFile); }

    std::atomic<int> runs = 0;
    std::atomic<bool> broken = false;
};

TEST_F(OwnTrustTest, ABoxThatWasNeverToldChangesNothing) {
    startWithUnit();
    startEngine();
    EXPECT_EQ(runs, 0);
    EXPECT_EQ(bundle(), "");
}

TEST_F(OwnTrustTest, IsAddedFollowsTheRootsAndIsRemoved) {
    startWithUnit();
    EXPECT_EQ(asked(true).state, "done");
    EXPECT_EQ(bundle(), engine->trustPem());
    EXPECT_EQ(asked(true).state, "done");
    EXPECT_EQ(runs, 1) << "what is so already is not done again";

    const std::string before = engine->trustPem();
    engine->reissueAuthority();
    settle();
    ASSERT_NE(engine->trustPem(), before);
    EXPECT_EQ(bundle(), engine->trustPem());

    EXPECT_EQ(asked(false).state, "done");
    EXPECT_EQ(bundle(), "");
    engine->reissueAuthority();
    settle();
    EXPECT_EQ(bundle(), "");
}

TEST_F(OwnTrustTest, WhatFailedIsSaidAndTriedAgain) {
    startWithUnit();
    for (const bool trusted : {true, false}) {
        broken = true;
        const JobView failed = asked(trusted);
        EXPECT_EQ(failed.state, "failed");
        EXPECT_NE(failed.error.find("the unit failed"), std::string::npos) << failed.error;
        broken = false;
        runUntil(clock.now() + std::chrono::minutes(2));
        EXPECT_EQ(bundle(), trusted ? engine->trustPem() : "");
    }
}

TEST_F(OwnTrustTest, ARestartMakesGoodWhatACrashOrSomebodyElseLeft) {
    startWithUnit();
    asked(true);
    testing_support::writeFile(settings.systemTrustFile, "");
    startEngine();
    EXPECT_EQ(bundle(), engine->trustPem());

    broken = true;
    asked(false);
    broken = false;
    startEngine();
    EXPECT_EQ(bundle(), "");
}

TEST_F(OwnTrustTest, SaysWhereTheUnitChangedNothing) {
    startEngine();
    service->onInstall = [](const std::string&) {};
    const JobView added = asked(true);
    EXPECT_EQ(added.state, "failed");
    EXPECT_NE(added.error.find("has 0 of the roots of this box, expected 1"), std::string::npos)
        << added.error;

    testing_support::writeFile(settings.systemTrustFile, engine->trustPem());
    const JobView removed = asked(false);
    EXPECT_NE(removed.error.find("somebody else than certmgr put them there"), std::string::npos)
        << removed.error;
}

}  // namespace
}  // namespace certmgr::engine
