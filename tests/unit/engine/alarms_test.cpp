// Each alarm comes once, and its end too, also across restarts.
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>

#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using Told = std::vector<std::string>;

const std::string failing = "failing:gw.example.com";

class AlarmsTest : public EngineTest {
  protected:
    AlarmsTest() { settings.stateDirectory = folder.path(); }
    void startWithoutCa() {
        ca.setDown(true);
        startEngine();
        runUntil(clock.now() + hours(1));
    }
    void sql(const std::string& statement) {
        SQLite::Database(folder / "certmgr.db", SQLite::OPEN_READWRITE, 5000).exec(statement);
    }
    std::string metrics() const { return testing_support::readFile(settings.alarms.metricsFile); }
};

TEST_F(AlarmsTest, AHealthyBoxHasNoneForAYear) {
    startEngine();
    runUntil(start + hours(24 * 366));
    EXPECT_EQ(hook.told(), Told{});
    EXPECT_TRUE(views->alarms().empty());
}

TEST_F(AlarmsTest, AreToldOnceAcrossRestartsAndSoIsTheirEnd) {
    startWithoutCa();
    EXPECT_EQ(hook.told(), Told{"raised " + failing});
    EXPECT_TRUE(log.contains("alarm: WARNING failing gw.example.com: a better certificate cannot be had"));
    const AlarmView alarm = views->alarms().at(failing);
    EXPECT_EQ(alarm.severity, "warning");

    startEngine();
    EXPECT_EQ(views->alarms().at(failing).since, alarm.since) << "known before anything was looked at";
    runUntil(clock.now() + minutes(10));
    EXPECT_EQ(hook.told(), Told{"raised " + failing});

    ca.setDown(false);
    runUntil(clock.now() + hours(24));
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(hook.told(), (Told{"raised " + failing, "cleared " + failing}));
    EXPECT_TRUE(views->alarms().empty());
    startEngine();
    runUntil(clock.now() + hours(1));
    EXPECT_EQ(hook.told().size(), 2U);
}

TEST_F(AlarmsTest, AreToldOnceWhileThatCannotBePutOnRecord) {
    ca.setDown(true);
    startEngine();
    sql("CREATE TRIGGER full BEFORE DELETE ON alarm_notices BEGIN SELECT RAISE(ABORT, 'full'); END");
    runUntil(clock.now() + hours(1));
    EXPECT_EQ(hook.told(), Told{"raised " + failing});
}

TEST_F(AlarmsTest, AnEndThatComesWhileNobodyLooksIsToldAtTheNextStart) {
    startWithoutCa();
    stopEngine();
    settings.acmeEnabled = false;
    startEngine();
    runUntil(clock.now() + minutes(1));
    EXPECT_EQ(hook.told(), (Told{"raised " + failing, "cleared " + failing}));
}

TEST_F(AlarmsTest, AManualRetryThatFailsIsNoEnd) {
    startWithoutCa();
    engine->reissue("gw.example.com");
    settle();
    runUntil(clock.now() + hours(1));
    EXPECT_EQ(hook.told(), Told{"raised " + failing});
}

TEST_F(AlarmsTest, TheEndOfACertificateEndsItsAlarms) {
    startEngine();
    ca.setDown(true);
    engine->request({{"extra.example.com"}, "", "", true});
    settle();
    runUntil(clock.now() + hours(1));
    engine->remove("extra.example.com");
    settle();
    runUntil(clock.now() + minutes(1));
    EXPECT_EQ(hook.told(), (Told{"raised failing:extra.example.com", "cleared failing:extra.example.com"}));
}

TEST_F(AlarmsTest, WhatACrashLeftUntoldIsToldAtTheStart) {
    startEngine();
    const Alarm alarm{AlarmKind::failing, AlarmSeverity::warning, "gone.example", "an error", start};
    store::AlarmRepository(*database).record({{AlarmEvent::raised, alarm}});
    startEngine();
    runUntil(clock.now() + minutes(1));
    EXPECT_EQ(hook.told(), (Told{"raised failing:gone.example", "cleared failing:gone.example"}));
}

TEST_F(AlarmsTest, AProgramThatFailsIsLoggedAndNotRunAgain) {
    hook.fail();
    startWithoutCa();
    runUntil(clock.now() + minutes(30));
    EXPECT_EQ(hook.told(), Told{"raised " + failing});
    EXPECT_TRUE(log.contains("no mail server"));
    EXPECT_TRUE(views->alarms().contains(failing));
}

TEST_F(AlarmsTest, NobodyHearsOfAnAlarmThatIsNotOnRecord) {
    ca.setDown(true);
    startEngine();
    sql("CREATE TRIGGER no BEFORE INSERT ON alarms BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
    runUntil(clock.now() + hours(1));
    EXPECT_TRUE(log.contains("the alarms: ")) << "and each minute it is tried again";
    EXPECT_TRUE(views->alarms().empty());
    EXPECT_EQ(hook.told(), Told{});
    sql("DROP TRIGGER no");
    runUntil(clock.now() + minutes(2));
    EXPECT_EQ(hook.told(), Told{"raised " + failing});
}

TEST_F(AlarmsTest, AServiceThatIgnoresReloadsIsOneUntilItServes) {
    profile.probes.front().timeout = std::chrono::milliseconds(50);
    startEngine();
    service->set(testing_support::FakeService::Mood::ignoresReload);
    engine->reissue("gw.example.com");
    settle();
    runUntil(clock.now() + hours(1));
    EXPECT_EQ(hook.told(), Told{"raised not-proved:web"});
    service->set(testing_support::FakeService::Mood::good);
    runUntil(clock.now() + hours(4));
    EXPECT_EQ(hook.told(), (Told{"raised not-proved:web", "cleared not-proved:web"}));
}

TEST_F(AlarmsTest, AClockThatIsNotTrustedIsOneAfterAWhile) {
    startEngine();
    clock.distrust("the clock is not synchronised");
    engine->review();
    settle();
    runUntil(clock.now() + minutes(5));
    EXPECT_EQ(hook.told(), Told{});
    runUntil(clock.now() + minutes(7));
    EXPECT_EQ(hook.told(), Told{"raised clock-not-trusted:clock"});
    startEngine();
    runUntil(clock.now() + minutes(5));
    EXPECT_EQ(hook.told().size(), 1U) << "a restart is no end";
    clock.trustAgain();
    runUntil(clock.now() + minutes(2));
    EXPECT_EQ(hook.told().back(), "cleared clock-not-trusted:clock");
}

TEST_F(AlarmsTest, AKeyThatFellToAFileIsOneUntilItIsInTheTpmAgain) {
    profile.certificates.front().keyPolicy = hal::KeyPolicy::preferTpm;
    settings.acmeEnabled = false;
    startEngine();
    runUntil(clock.now() + minutes(1));
    EXPECT_EQ(hook.told(), Told{}) << "a box without a TPM is in order";
    keys.setTpm(true);
    engine->request({{"other.example.com"}, "", "tpm", true});
    settle();
    runUntil(clock.now() + minutes(1));
    EXPECT_EQ(hook.told().front(), "raised key-misplaced:gw.example.com");
    engine->reissue("gw.example.com");
    settle();
    runUntil(clock.now() + minutes(1));
    EXPECT_FALSE(views->alarms().contains("key-misplaced:gw.example.com"));
}

TEST_F(AlarmsTest, TheMetricsAreReplacedWholeAndOnlyForChangesThatAreCollected) {
    settings.alarms.metricsFile = folder / "metrics.prom";
    startEngine();
    runUntil(clock.now() + minutes(1));
    EXPECT_NE(metrics().find("# TYPE certmgr_alarms gauge\n"), std::string::npos);
    EXPECT_NE(metrics().find("certmgr_certificate_info{certificate=\"gw.example.com\",state=\"acme\","
                             "key_backend=\"file\",proof=\"proved\"} 1\n"),
              std::string::npos)
        << metrics();
    // A second name of the file goes on naming the one that was there before.
    const std::filesystem::path before = folder / "before.prom";
    std::filesystem::create_hard_link(settings.alarms.metricsFile, before);
    runUntil(clock.now() + hours(3));
    EXPECT_EQ(std::filesystem::hard_link_count(before), 2U) << "nothing changed";
    for (const char* name : {"a.example.com", "b.example.com", "c.example.com"}) {
        engine->request({{name}, "", "", true});
        settle();
        runUntil(clock.now() + seconds(4));
        EXPECT_EQ(std::filesystem::hard_link_count(before), 2U) << "more may come";
    }
    runUntil(clock.now() + seconds(15));
    EXPECT_EQ(std::filesystem::hard_link_count(before), 1U);
    EXPECT_NE(metrics().find("certificate=\"c.example.com\""), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder / "metrics.prom.new"));
}

}  // namespace
}  // namespace certmgr::engine
