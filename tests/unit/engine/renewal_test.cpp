// Renewal as the CA suggests it (RFC 9773).
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class RenewalTest : public EngineTest {
  protected:
    TimePoint renewAt() const { return TimePoint(seconds(view("gw.example.com").renewAt)); }
};

TEST_F(RenewalTest, HappensOnceInTheWindowThatTheCaSuggests) {
    ca.suggestRenewal(RenewalWindow{start + 10 * day, start + 12 * day});
    startEngine();
    runUntil(start + minutes(1));
    EXPECT_GE(renewAt(), start + 10 * day);
    EXPECT_LT(renewAt(), start + 12 * day);
    EXPECT_EQ(view("gw.example.com").renewalExplanation, "https://acme.test/why");
    runUntil(start + 10 * day - minutes(1));
    EXPECT_EQ(ca.ordersMade(), 1);
    ca.suggestRenewal(RenewalWindow{start + 70 * day, start + 72 * day});
    runUntil(start + 12 * day);
    ca.suggestRenewal(std::nullopt);
    EXPECT_EQ(ca.ordersMade(), 1) << "the window was moved before it came";
}

TEST_F(RenewalTest, TheTimeIsChosenOnceAndOutlivesARestart) {
    ca.suggestRenewal(RenewalWindow{start + 10 * day, start + 20 * day});
    startEngine();
    runUntil(start + day);
    const TimePoint chosen = renewAt();
    EXPECT_GE(ca.renewalQueries(), 4) << "every six hours, as Retry-After says";
    startEngine();
    runUntil(start + 2 * day);
    EXPECT_EQ(renewAt(), chosen);
}

TEST_F(RenewalTest, AClockThatWasAheadDoesNotKeepTheCaFromBeingAsked) {
    ca.suggestRenewal(RenewalWindow{start + 50 * day, start + 51 * day});
    startEngine();
    clock.set(start + 30 * day);
    engine->review();
    settle();
    runUntil(start + 30 * day);
    const int queries = ca.renewalQueries();
    clock.set(start);
    engine->review();
    settle();
    runUntil(start + minutes(1));
    EXPECT_EQ(ca.renewalQueries(), queries + 1);
    runUntil(start + hours(5));
    EXPECT_EQ(ca.renewalQueries(), queries + 1) << "and then at its time";
}

TEST_F(RenewalTest, SaysWhichCertificateItReplaces) {
    ca.suggestRenewal(RenewalWindow{start + 10 * day, start + 10 * day + hours(12)});
    startEngine();
    runUntil(start + 10 * day + hours(12));
    ASSERT_EQ(ca.replaced().size(), 2U);
    EXPECT_EQ(ca.replaced()[0], "") << "there was nothing of this CA before";
    EXPECT_NE(ca.replaced()[1].find('.'), std::string::npos) << ca.replaced()[1];
}

TEST_F(RenewalTest, ACaThatFindsEachNewOneDueAtOnceGetsAnOrderADay) {
    ca.suggestRenewal(RenewalWindow{start - 2 * day, start - day});
    startEngine();
    runUntil(start + 10 * day);
    EXPECT_GE(ca.ordersMade(), 10);
    EXPECT_LE(ca.ordersMade(), 13);
}

TEST_F(RenewalTest, AnEmergencyOverridesTheCa) {
    ca.suggestRenewal(RenewalWindow{start + 200 * day, start + 201 * day});
    startEngine();
    runUntil(start + 80 * day);
    EXPECT_EQ(ca.ordersMade(), 1);
    runUntil(start + 89 * day);
    EXPECT_EQ(ca.ordersMade(), 2) << "with less than 1/20 of its lifetime left";
}

// The CA suggests the last minute, and is away just when the certificate has to be renewed.
TEST_F(RenewalTest, AShortLivedOneOutlastsACaThatSuggestsTheEndAndIsAway) {
    ca.offerProfiles({{"shortlived", hours(160)}});
    settings.cas[0].profile = {"shortlived", true};
    ca.suggestRenewal(RenewalWindow{start + hours(159), start + hours(160)});
    startEngine();
    runUntil(start + hours(126));
    EXPECT_EQ(ca.ordersMade(), 1);
    ca.setDown(true);
    runUntil(start + hours(150));
    EXPECT_EQ(view("gw.example.com").state, "acme") << "it is still valid";
    EXPECT_GE(view("gw.example.com").failures, 6u);
    ca.setDown(false);
    runUntil(start + hours(155));
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_GT(TimePoint(seconds(view("gw.example.com").notAfter)), start + hours(300));
}

TEST_F(RenewalTest, ATemporaryErrorDoublesThePause) {
    ca.suggestRenewal(RenewalWindow{start + 50 * day, start + 51 * day});
    ca.failRenewalQueries(500);
    startEngine();
    runUntil(start);
    EXPECT_EQ(ca.renewalQueries(), 1);
    int queries = 1;
    for (const int after : {1, 3, 7, 15, 31}) {
        runUntil(start + minutes(after) - seconds(1));
        EXPECT_EQ(ca.renewalQueries(), queries) << after;
        runUntil(start + minutes(after));
        EXPECT_EQ(ca.renewalQueries(), ++queries) << after;
    }
    ca.failRenewalQueries(0);
    runUntil(start + hours(2));
    EXPECT_GE(renewAt(), start + 50 * day);
}

TEST_F(RenewalTest, WhatDoesNotPassByItselfIsAskedForAgainInSixHours) {
    ca.suggestRenewal(RenewalWindow{start + 50 * day, start + 51 * day});
    ca.failRenewalQueries(404);
    startEngine();
    runUntil(start + hours(6) - seconds(1));
    EXPECT_EQ(ca.renewalQueries(), 1);
    runUntil(start + hours(6));
    EXPECT_EQ(ca.renewalQueries(), 2);
}

TEST_F(RenewalTest, AWindowThatEndsAsItBeginsIsNoAnswer) {
    ca.suggestRenewal(RenewalWindow{start + 10 * day, start + 10 * day});
    startEngine();
    EXPECT_GT(renewAt(), start + 50 * day) << "the usual time holds";
    runUntil(start + hours(6) - seconds(1));
    EXPECT_EQ(ca.renewalQueries(), 1);
    runUntil(start + hours(6));
    EXPECT_EQ(ca.renewalQueries(), 2);
}

TEST_F(RenewalTest, NobodyAsksForOneThatWasReplacedAndHasExpired) {
    ca.suggestRenewal(RenewalWindow{start + 200 * day, start + 201 * day});
    startEngine();
    ca.setRefusing(true);
    runUntil(start + 90 * day);
    ASSERT_EQ(view("gw.example.com").state, "local");
    const int queries = ca.renewalQueries();
    runUntil(start + 95 * day);
    EXPECT_EQ(ca.renewalQueries(), queries);
}

TEST_F(RenewalTest, ACaThatDoesNotTakeWhatIsReplacedGetsOneOrderWithout) {
    ca.suggestRenewal(RenewalWindow{start + 50 * day, start + 51 * day});
    startEngine();
    int orders = 1;
    for (const char* problem : {"alreadyReplaced", "unauthorized", "malformed"}) {
        ca.setRefusingReplaces(problem);
        engine->reissue("gw.example.com");
        settle();
        EXPECT_EQ(ca.ordersMade(), ++orders) << problem;
        EXPECT_EQ(ca.profilesAsked().size(), 2 * static_cast<std::size_t>(orders) - 1)
            << "one that replaces and one that does not: " << problem;
        EXPECT_EQ(ca.replaced().back(), "") << problem;
        EXPECT_EQ(view("gw.example.com").lastError, "") << problem;
    }
}

TEST_F(RenewalTest, ACaThatFailsAtWhatIsReplacedGetsAnOrderWithoutAtOnce) {
    ca.suggestRenewal(RenewalWindow{start + 50 * day, start + 51 * day});
    startEngine();
    ca.setRefusingReplaces("serverInternal");
    int orders = 1;
    for (const bool listing : {true, false}) {
        ca.setListingOrders(listing);
        engine->reissue("gw.example.com");
        settle();
        EXPECT_EQ(ca.ordersMade(), ++orders);
        EXPECT_EQ(ca.replaced().back(), "");
        EXPECT_EQ(view("gw.example.com").lastError, "");
        EXPECT_EQ(view("gw.example.com").lostOrders, listing ? 0U : 1U) << "nobody can tell";
    }
}

TEST_F(RenewalTest, WithoutTheInformationOneThirdIsLeft) {
    startEngine();
    runUntil(start + 57 * day);
    EXPECT_EQ(ca.ordersMade(), 1);
    runUntil(start + 61 * day);
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_EQ(ca.replaced().back(), "") << "a CA that has no such resource is told nothing";
}

TEST_F(RenewalTest, ACaThatIsAwayIsAskedAgainAndTheUsualTimeHoldsMeanwhile) {
    ca.suggestRenewal(RenewalWindow{start + 10 * day, start + 10 * day + hours(12)});
    startEngine();
    const int queries = ca.renewalQueries();
    ca.setDown(true);
    runUntil(start + 5 * day);
    EXPECT_EQ(ca.renewalQueries(), queries);
    ca.setDown(false);
    runUntil(start + 6 * day);
    EXPECT_GT(ca.renewalQueries(), queries);
    runUntil(start + 10 * day + hours(12));
    EXPECT_EQ(ca.ordersMade(), 2);
}

}  // namespace
}  // namespace certmgr::engine
