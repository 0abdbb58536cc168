// A service that is reloaded at night only, by local time: an hour ahead of UTC here.
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

class WindowTest : public EngineTest {
  protected:
    WindowTest() {
        settings.cas.clear();
        profile.reloadWindow = reloadWindowFrom("02:00-04:00");
    }

    const TimePoint opening = std::chrono::floor<days>(start) + days(1) + hours(1);
    std::string reason() const { return views->services().at("web").deployments.front().reason; }
    std::string proof() const { return view("gw.example.com").proof; }
    void reissue() {
        engine->reissue("gw.example.com");
        settle();
    }
};

TEST_F(WindowTest, TheFirstCertificateIsBroughtAtOnceAndTheNextOneAtNight) {
    startEngine();
    EXPECT_EQ(proof(), "proved");
    reissue();
    EXPECT_EQ(proof(), "pending");
    EXPECT_NE(reason().find(formatTime(opening)), std::string::npos) << reason();
    EXPECT_EQ(service->reloads(), 1);
    runUntil(opening - seconds(1));
    EXPECT_EQ(service->reloads(), 1);
    runUntil(opening);
    EXPECT_EQ(proof(), "proved");
    EXPECT_EQ(service->reloads(), 2);
}

TEST_F(WindowTest, ARestartOrAReviewIsNoReasonToHurry) {
    startEngine();
    reissue();
    startEngine();
    engine->review();
    settle();
    EXPECT_EQ(proof(), "pending");
    EXPECT_EQ(service->reloads(), 1);
    runUntil(opening);
    EXPECT_EQ(proof(), "proved");
}

TEST_F(WindowTest, OneThatFailedKeepsItsReasonUntilTheNextNight) {
    profile.probes.front().timeout = std::chrono::milliseconds(100);
    startEngine();
    reissue();
    service->set(testing_support::FakeService::Mood::ignoresReload);
    runUntil(opening);
    runUntil(opening + hours(4));
    EXPECT_EQ(proof(), "rolled-back");
    EXPECT_EQ(reason().find("waits"), std::string::npos) << reason();
    const int reloads = service->reloads();
    service->set(testing_support::FakeService::Mood::good);
    runUntil(opening + hours(23));
    EXPECT_EQ(service->reloads(), reloads);
    runUntil(opening + days(1));
    EXPECT_EQ(proof(), "proved");
}

TEST_F(WindowTest, AServiceThatWasDownIsProvedWhenItComes) {
    profile.probes.front().timeout = std::chrono::milliseconds(100);
    profile.reloadWindow = reloadWindowFrom("02:00-02:01");
    startEngine();
    service->set(testing_support::FakeService::Mood::down);
    reissue();
    runUntil(opening);
    EXPECT_EQ(proof(), "waiting");
    runUntil(opening + minutes(3));
    service->set(testing_support::FakeService::Mood::good);
    runUntil(opening + minutes(6));
    EXPECT_EQ(proof(), "proved");
}

TEST_F(WindowTest, WhatEndsBeforeTheWindowIsReplacedAtOnce) {
    settings.authority.leafLifetime = hours(12);
    startEngine();
    reissue();
    EXPECT_EQ(proof(), "proved");
    EXPECT_EQ(service->reloads(), 2);
}

TEST_F(WindowTest, AClockThatIsNotTrustedKnowsNoNight) {
    startEngine();
    clock.distrust("not synchronised");
    keys.destroy(Records(*database).credentials.current("gw.example.com")->key);
    engine->review();
    settle();
    EXPECT_EQ(proof(), "proved");
    EXPECT_EQ(service->reloads(), 2);
}

}  // namespace
}  // namespace certmgr::engine
