// Which alarms there are: for what went wrong, and none for a healthy box.
#include <gtest/gtest.h>

#include "certmgr/core/alarm_verdict.h"
#include "tests/unit/core/moments.h"

namespace certmgr {
namespace {

using std::chrono::hours;
const TimePoint noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + hours(12);

class AlarmTest : public testing::Test {
  protected:
    AlarmTest() {
        facts.clock.trusted = true;
        certificate.id = "gw.example";
        certificate.validity = {noon - 45 * day, noon + 45 * day};
    }
    AlarmVerdict verdict() {
        facts.certificates = {certificate};
        return judgeAlarms(facts, rules, open, now);
    }
    // "warning expiring:gw.example", and what is open from now on.
    std::vector<std::string> look() {
        open = verdict().alarms;
        std::vector<std::string> texts;
        for (const Alarm& alarm : open)
            texts.push_back(std::string(toString(alarm.severity)) + " " + idOf(alarm));
        return texts;
    }
    using Texts = std::vector<std::string>;

    AlarmFacts facts;
    CertificateAlarmFacts certificate;
    AlarmRules rules;
    std::vector<Alarm> open;
    TimePoint now = noon;
};

TEST_F(AlarmTest, AHealthyCertificateHasNoneUpToItsRenewal) {
    now = noon + 16 * day;  // due for renewal yesterday
    EXPECT_EQ(look(), Texts{});
    certificate.validity = {noon - 3 * day, noon + 3 * day};
    now = noon + hours(1);
    EXPECT_EQ(look(), Texts{});
}

TEST_F(AlarmTest, WhatWasNotRenewedIsExpiringAndGetsWorse) {
    now = noon + 24 * day;
    EXPECT_EQ(look(), Texts{"warning expiring:gw.example"});
    EXPECT_EQ(open[0].since, now);
    EXPECT_NE(open[0].sentence.find("ends at 2027-01-07T12:00:00Z"), std::string::npos) << open[0].sentence;
    now = noon + 38 * day;
    EXPECT_EQ(look(), Texts{"critical expiring:gw.example"});
    EXPECT_EQ(open[0].since, noon + 24 * day) << "it is the same alarm";
    now = noon + 46 * day;
    EXPECT_EQ(look(), Texts{"critical expiring:gw.example"});
    EXPECT_NE(open[0].sentence.find("expired at"), std::string::npos);
    certificate.validity = {now, now + 90 * day};
    EXPECT_EQ(look(), Texts{});
}

TEST_F(AlarmTest, TheSmallerOfShareAndDaysCounts) {
    certificate.uploaded = true;
    certificate.validity = {noon, noon + 400 * day};
    now = noon + 378 * day;
    EXPECT_EQ(look(), Texts{});
    now = noon + 379 * day;
    EXPECT_EQ(look(), Texts{"warning expiring:gw.example"});
    EXPECT_NE(open[0].sentence.find("nobody but you renews it"), std::string::npos);
    certificate.validity = {now, now + 6 * day};
    EXPECT_EQ(look(), Texts{});
    now += hours(6 * 24 * 3 / 4);
    EXPECT_EQ(look(), Texts{"warning expiring:gw.example"});
}

TEST_F(AlarmTest, ARenewalThatRunsForTheFirstTimeIsWaitedForButNotWhenItIsCritical) {
    certificate.underWay = true;
    now = noon + 30 * day;
    EXPECT_EQ(look(), Texts{});
    now = noon + 40 * day;
    EXPECT_EQ(look(), Texts{"critical expiring:gw.example"});
}

TEST_F(AlarmTest, TheVerdictSaysWhenItChangesByTimeAlone) {
    now = noon + 24 * day - std::chrono::minutes(5);
    EXPECT_EQ(verdict().lookAgain, noon + 24 * day);
    now = noon;
    EXPECT_EQ(verdict().lookAgain, noon + hours(1));
}

TEST_F(AlarmTest, FailuresInARowAreAnAlarmAndANewAttemptIsNoEnd) {
    certificate.failures = 2;
    certificate.lastError = "the CA\nrefused";
    EXPECT_EQ(look(), Texts{});
    certificate.failures = 3;
    EXPECT_EQ(look(), Texts{"warning failing:gw.example"});
    EXPECT_NE(open[0].sentence.find("the CA refused"), std::string::npos) << open[0].sentence;
    certificate.failures = 0;  // a manual retry
    certificate.underWay = true;
    EXPECT_EQ(look(), Texts{"warning failing:gw.example"});
    certificate.failures = 1;
    certificate.underWay = false;
    EXPECT_EQ(look(), Texts{"warning failing:gw.example"});
    certificate.failures = 0;
    EXPECT_EQ(look(), Texts{});
}

TEST_F(AlarmTest, ToHaveNoCertificateAtAllIsCritical) {
    certificate.validity.reset();
    EXPECT_EQ(look(), Texts{}) << "nothing was tried yet";
    certificate.failures = 3;
    EXPECT_EQ(look(), Texts{"critical failing:gw.example"});
}

TEST_F(AlarmTest, AServiceThatRollsBackIsOneAlarmForAllItsCertificates) {
    facts.services = {{"web", {{"a.example", true, 2, "old leaf"}, {"b.example", true, 1, "old leaf"}}}};
    EXPECT_EQ(look(), Texts{});
    facts.services[0].refused[0].failures = 3;
    EXPECT_EQ(look(), Texts{"warning not-proved:web"});
    EXPECT_NE(open[0].sentence.find("a.example and 1 more: old leaf"), std::string::npos) << open[0].sentence;
    facts.services[0].refused[0].failures = 0;  // a newer generation is refused as well
    EXPECT_EQ(look(), Texts{"warning not-proved:web"});
    EXPECT_EQ(verdict().lookAgain, now + hours(1));
    now += hours(24);
    EXPECT_EQ(look(), Texts{"critical not-proved:web"});
    facts.services[0].refused.clear();
    EXPECT_EQ(look(), Texts{});
}

TEST_F(AlarmTest, AServiceThatServesSomethingElseIsCritical) {
    facts.services = {{"web", {{"a.example", true, 9, "old leaf"}, {"b.example", false, 3, "strange leaf"}}}};
    EXPECT_EQ(look(), Texts{"critical not-proved:web"});
    EXPECT_NE(open[0].sentence.find("b.example and 1 more: strange leaf"), std::string::npos);
    facts.services[0].refused[1].goodOneServed = true;
    EXPECT_EQ(look(), Texts{"critical not-proved:web"}) << "an open alarm gets no milder";
}

TEST_F(AlarmTest, OnAnUntrustedClockThereIsNoVerdictByDates) {
    facts.authorities = {{"root-1", Validity{noon - 9 * day, noon + day}, std::nullopt, ""}};
    now = noon + 60 * day;
    facts.clock = {false, "the clock is not synchronised"};
    EXPECT_EQ(look(), Texts{});
    facts.distrustedFor = std::chrono::minutes(10);
    EXPECT_EQ(look(), Texts{"warning clock-not-trusted:clock"});
    facts.distrustedFor = seconds(0);  // certmgrd was restarted
    EXPECT_EQ(look(), Texts{"warning clock-not-trusted:clock"});
    facts.clock = {true, ""};
    EXPECT_EQ(look(), (Texts{"critical expiring:gw.example", "critical authority-ending:root-1"}));
    facts.clock = {false, "the clock is not synchronised"};
    now = noon;
    EXPECT_EQ(look(), (Texts{"critical expiring:gw.example", "critical authority-ending:root-1"}))
        << "what is open stays open";
}

TEST_F(AlarmTest, AuthoritiesRevocationListsAndKeys) {
    facts.authorities = {
        {"root-1", Validity{noon - 3630 * day, noon + 20 * day}, std::nullopt, ""},
        {"issuing-1", std::nullopt, Validity{noon - 6 * day, noon + day}, "the TPM is full"}};
    certificate.misplacedKey = "the TPM is full";
    EXPECT_EQ(look(), (Texts{"warning key-misplaced:gw.example", "warning authority-ending:root-1",
                             "warning crl-ending:issuing-1", "warning key-misplaced:issuing-1"}));
}

TEST_F(AlarmTest, ARevocationThatIsDueForLongIsOneAndOfACompromisedKeySooner) {
    facts.revocations = {{"gw.example", "0badcafe", RevocationReason::superseded, noon, ""},
                         {"old.example", "0cafe", RevocationReason::keyCompromise, noon, "waits for web"}};
    EXPECT_EQ(look(), Texts{});
    EXPECT_EQ(verdict().lookAgain, noon + hours(1));
    now = noon + hours(1);
    EXPECT_EQ(look(), Texts{"critical revocation-due:old.example"}) << "also without such a certificate";
    EXPECT_EQ(
        open[0].sentence,
        "its CA was to revoke 0cafe (key-compromise), asked for at 2026-11-23T12:00:00Z, which is not done: "
        "waits for web; where a service is waited for, \"certmgrctl acme revoke old.example --now\" waits "
        "no longer");
    now = noon + hours(24);
    EXPECT_EQ(look(), (Texts{"warning revocation-due:gw.example", "critical revocation-due:old.example"}));
    EXPECT_NE(open[0].sentence.find("not tried yet"), std::string::npos) << open[0].sentence;
    facts.revocations.pop_back();
    EXPECT_EQ(look(), Texts{"warning revocation-due:gw.example"});
    facts.revocations.push_back(
        {"gw.example", "0cafe", RevocationReason::keyCompromise, noon, "waits for web"});
    EXPECT_EQ(look(), Texts{"critical revocation-due:gw.example"});
    EXPECT_NE(open[0].sentence.find("0cafe and 1 more"), std::string::npos) << open[0].sentence;
    facts.clock = {false, "the clock is not synchronised"};
    now = noon;
    EXPECT_EQ(look(), Texts{"critical revocation-due:gw.example"}) << "what is open stays open";
    facts.revocations.clear();
    EXPECT_EQ(look(), Texts{});
}

TEST_F(AlarmTest, ARecordThatProvedANameAndEndsSoonIsAnAlarmAMonthAhead) {
    certificate.persist = {parseIdentifier("*.gw.example"), noon + 31 * day, ""};
    EXPECT_EQ(look(), Texts{});
    certificate.persist->until = noon + 30 * day + std::chrono::minutes(10);
    EXPECT_EQ(verdict().lookAgain, noon + std::chrono::minutes(10));
    now += std::chrono::minutes(10);
    EXPECT_EQ(look(), Texts{"warning persist-record-ending:gw.example"});
    EXPECT_EQ(
        open[0].sentence,
        "the record _validation-persist.gw.example, by which it was proved, ends 2026-12-23T12:10:00Z: it "
        "cannot be renewed by dns-persist-01 then; put the one there that \"certmgrctl acme persist-record "
        "gw.example --wildcard\" prints");
    facts.clock = {false, "the clock is not synchronised"};
    EXPECT_EQ(look(), Texts{"warning persist-record-ending:gw.example"}) << "what is open stays open";
    facts.clock.trusted = true;
    certificate.persist.reset();  // another one was put there, or another kind proved the name
    EXPECT_EQ(look(), Texts{});
}

TEST_F(AlarmTest, ARecordThatIsGoneIsAnAlarmAtOnce) {
    certificate.persist = {parseIdentifier("gw.example"), std::nullopt, ""};
    EXPECT_EQ(look(), Texts{}) << "without an end";
    certificate.persist->complaint = "none names ca.example";
    EXPECT_EQ(look(), Texts{"warning persist-record-ending:gw.example"});
    EXPECT_NE(open[0].sentence.find("is gone (none names ca.example)"), std::string::npos);
}

TEST_F(AlarmTest, NoticesTellWhatCameWorsenedAndWentOnce) {
    const Alarm mild{AlarmKind::failing, AlarmSeverity::warning, "gw.example", "the CA refused", noon};
    Alarm other = mild;
    other.sentence = "the CA is silent";
    EXPECT_EQ(noticesBetween({}, {mild}), (std::vector<AlarmNotice>{{AlarmEvent::raised, mild}}));
    EXPECT_TRUE(noticesBetween({mild}, {other}).empty());
    other.severity = AlarmSeverity::critical;
    EXPECT_EQ(noticesBetween({mild}, {other}), (std::vector<AlarmNotice>{{AlarmEvent::worsened, other}}));
    EXPECT_EQ(noticesBetween({other}, {}), (std::vector<AlarmNotice>{{AlarmEvent::cleared, other}}));
    EXPECT_EQ(lineOf({AlarmEvent::worsened, other}), "CRITICAL failing gw.example: the CA is silent");
    EXPECT_EQ(lineOf({AlarmEvent::cleared, other}), "CLEARED failing gw.example: the CA is silent");
}

TEST(AlarmWords, AreReadAsTheyAreWritten) {
    for (const AlarmKind kind : allAlarmKinds) EXPECT_EQ(alarmKindFrom(toString(kind)), kind);
    for (const AlarmEvent event : {AlarmEvent::raised, AlarmEvent::worsened, AlarmEvent::cleared})
        EXPECT_EQ(alarmEventFrom(toString(event)), event);
    EXPECT_EQ(alarmSeverityFrom("critical"), AlarmSeverity::critical);
    EXPECT_FALSE(alarmSeverityFrom("mild"));
}

}  // namespace
}  // namespace certmgr
