// The daily look at the records of dns-persist-01 that proved a certificate, and the alarm that comes of it.
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using Names = std::vector<std::string>;

constexpr const char* persistent = "gw.example.com";
const Names recordRaised{"raised persist-record-ending:gw.example.com"};
const Names recordRaisedAndCleared{recordRaised.front(), "cleared persist-record-ending:gw.example.com"};

class PersistLookTest : public EngineTest {
  protected:
    PersistLookTest() {
        settings.cas.front().caaIdentities = {"fake.example"};
        solvers.emplace_back(persistSolver);
        startEngine();
    }

    // What an order leaves on record that was proved so. The engine learns of it at its start.
    void provedBefore(const Names& names, const std::string& byCa = "fake") {
        for (const std::string& name : names)
            store::PersistRepository(*database).put({persistent, name, byCa, std::nullopt, "", TimePoint()});
        startEngine();
        runUntil(start + minutes(1));
    }
    void certifyAlso(const std::string& name) {
        profile.certificates.front().names.push_back(parseIdentifier(name));
        service.reset();
        startEngine();
    }
    void inZone(std::optional<TimePoint> until) {
        const PersistRecord record{"fake.example", engine->accounts().front().url, false, until};
        persistLookup.put(persistOwner(parseIdentifier(persistent)), {persistText(record)});
    }
    std::string sentence() const {
        const auto& alarms = views->alarms();
        return alarms.empty() ? "" : alarms.begin()->second.sentence;
    }
    std::vector<store::PersistRow> onRecord() { return store::PersistRepository(*database).list(persistent); }
};

TEST_F(PersistLookTest, OneThatStaysIsLookedAtOnceADayAndIsNoAlarm) {
    inZone(std::nullopt);
    provedBefore({persistent});
    runUntil(start + hours(24 * 3) + minutes(1));
    EXPECT_EQ(persistLookup.asked(), Names(4, persistent));
    EXPECT_EQ(hook.told(), Names{});
}

TEST_F(PersistLookTest, AClockThatWasAheadKeepsNobodyFromLooking) {
    inZone(std::nullopt);
    clock.set(start + day * 30);
    provedBefore({persistent});
    runUntil(start + day * 30 + minutes(1));
    EXPECT_EQ(persistLookup.asked(), Names(1, persistent));
    clock.set(start);
    engine->review();
    settle();
    runUntil(start + hours(1));
    EXPECT_EQ(persistLookup.asked(), Names(2, persistent));
}

TEST_F(PersistLookTest, OneThatIsGoneIsAnAlarmUntilItIsBack) {
    provedBefore({persistent});
    EXPECT_EQ(hook.told(), recordRaised);
    EXPECT_NE(sentence().find("_validation-persist.gw.example.com, by which it was proved, is gone (none "
                              "names fake.example)"),
              std::string::npos)
        << sentence();
    inZone(std::nullopt);
    runUntil(start + hours(23));
    EXPECT_EQ(hook.told(), recordRaised) << "nobody has looked again";
    runUntil(start + hours(25));
    EXPECT_EQ(hook.told(), recordRaisedAndCleared);
    EXPECT_EQ(onRecord().at(0).complaint, "");
}

TEST_F(PersistLookTest, OneOfAnotherAccountIsOfNoUse) {
    const std::string record = persistText({"fake.example", "https://acme.test/another", false, {}});
    persistLookup.put(persistOwner(parseIdentifier(persistent)), {record});
    provedBefore({persistent});
    EXPECT_EQ(hook.told(), recordRaised);
    EXPECT_NE(sentence().find("for the account https://acme.test/another, and ours is " +
                              engine->accounts().front().url),
              std::string::npos)
        << sentence();
}

TEST_F(PersistLookTest, OneThatEndsIsAnAlarmAMonthAheadUntilAnotherIsThere) {
    const TimePoint end = start + day * 40;
    inZone(end);
    provedBefore({persistent});
    runUntil(start + day * 9);
    EXPECT_EQ(hook.told(), Names{});
    runUntil(start + day * 11);
    EXPECT_EQ(hook.told(), recordRaised);
    EXPECT_NE(sentence().find("ends " + formatTime(end)), std::string::npos) << sentence();
    inZone(end + day * 365);
    runUntil(start + day * 13);
    EXPECT_EQ(hook.told(), recordRaisedAndCleared);
}

TEST_F(PersistLookTest, ServersThatCannotBeAskedRaiseNothingAndAreAskedAgainInAnHour) {
    persistLookup.setSilent(true);
    provedBefore({persistent});
    runUntil(start + hours(2) + minutes(10));
    EXPECT_EQ(persistLookup.asked(), Names(3, persistent));
    EXPECT_EQ(hook.told(), Names{});
    EXPECT_FALSE(log.contains("looking at the records")) << "nothing is wrong with the box";
}

TEST_F(PersistLookTest, ServersThatCannotBeAskedEndNothing) {
    provedBefore({persistent});
    persistLookup.setSilent(true);
    runUntil(start + day * 2);
    EXPECT_GT(persistLookup.asked().size(), 20U);
    EXPECT_EQ(hook.told(), recordRaised);
    EXPECT_EQ(onRecord().at(0).complaint, "none names fake.example");
}

TEST_F(PersistLookTest, ServersThatCannotBeAskedLeaveAnEndThatIsKnown) {
    inZone(start + day * 40);
    provedBefore({persistent});
    persistLookup.setSilent(true);
    runUntil(start + day * 11);
    EXPECT_EQ(hook.told(), recordRaised);
}

TEST_F(PersistLookTest, AfterOneInVainNobodyIsAskedForTheOthers) {
    certifyAlso("www.example.com");
    persistLookup.setSilent(true);
    provedBefore({persistent, "www.example.com"});
    EXPECT_EQ(persistLookup.asked(), Names{persistent});
    persistLookup.setSilent(false);
    runUntil(start + hours(1) + minutes(2));
    EXPECT_EQ(persistLookup.asked(), (Names{persistent, persistent, "www.example.com"}));
}

TEST_F(PersistLookTest, ANameThatTheCertificateDropsEndsItsAlarmAndIsForgotten) {
    certifyAlso("www.example.com");
    provedBefore({"www.example.com"});
    EXPECT_EQ(hook.told(), recordRaised);
    profile.certificates.front().names.pop_back();
    service.reset();
    startEngine();
    runUntil(start + minutes(5));
    EXPECT_EQ(hook.told(), recordRaisedAndCleared);
    runUntil(start + hours(25));
    EXPECT_EQ(persistLookup.asked(), Names{"www.example.com"}) << "it was looked at while it had the name";
    EXPECT_TRUE(onRecord().empty());
}

TEST_F(PersistLookTest, NobodyLooksForACaThatIsNotAskedAnyMore) {
    provedBefore({persistent}, "another");
    EXPECT_EQ(persistLookup.asked(), Names{});
    EXPECT_EQ(hook.told(), Names{});
    EXPECT_TRUE(onRecord().empty());
}

TEST_F(PersistLookTest, NobodyLooksWhereNothingIsProvedByRecordsAnyMore) {
    solvers.pop_back();
    provedBefore({persistent});
    runUntil(start + hours(25));
    EXPECT_EQ(persistLookup.asked(), Names{});
    EXPECT_EQ(hook.told(), Names{});
    EXPECT_EQ(onRecord().size(), 1U) << "it may be set up again";
}

}  // namespace
}  // namespace certmgr::engine
