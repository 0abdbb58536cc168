// The limits of a CA: what is known to be refused is not sent.
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr const char* budgeted = "gw.example.com";

class BudgetTest : public EngineTest {
  protected:
    void limit(RateLimit one) { settings.cas[0].limits.push_back(one); }
    void reissue(int times) {
        for (int each = 0; each < times; ++each) {
            engine->reissue(budgeted);
            settle();
        }
    }
    CaBudget budget(const std::string& name) {
        std::vector<CaBudget> cas;
        engine->budget([&](const Budgets& found) { cas = found.cas; });
        settle();
        const auto one = std::ranges::find(cas, name, &CaBudget::ca);
        return one == cas.end() ? CaBudget{} : *one;
    }
    BudgetEntry entry(LimitKind kind, const std::string& subject) {
        const std::vector<BudgetEntry> entries = budget("fake").entries;
        const auto one = std::ranges::find_if(entries, [&](const BudgetEntry& each) {
            return each.bucket.kind == kind && each.bucket.subject == subject;
        });
        return one == entries.end() ? BudgetEntry{} : *one;
    }
    TimePoint nextAttemptOf(const std::string& id) const { return TimePoint(seconds(view(id).nextAttempt)); }
};

TEST_F(BudgetTest, AnOrderThatWouldBeRefusedIsNotSentAndIsNoFailure) {
    limit({LimitKind::orders, 3, hours(3)});
    startEngine();
    reissue(2);
    EXPECT_EQ(ca.ordersMade(), 3);
    const std::string leaf = view(budgeted).sha256;
    reissue(1);
    EXPECT_EQ(ca.ordersMade(), 3);
    EXPECT_EQ(view(budgeted).sha256, leaf);
    EXPECT_EQ(view(budgeted).failures, 0U);
    EXPECT_EQ(view(budgeted).abandonedOrders, 0U);
    EXPECT_NE(view(budgeted).lastError.str().find("3 orders of one account in 3 hours, of which 3 are used"),
              std::string::npos)
        << view(budgeted).lastError;
    EXPECT_GE(nextAttemptOf(budgeted), start + hours(1));
    EXPECT_LE(nextAttemptOf(budgeted), start + hours(1) + minutes(2));
}

TEST_F(BudgetTest, ANameThatHasToWaitIsServedLocallyAndGetsItsTurn) {
    limit({LimitKind::orders, 1, hours(3)});
    startEngine();
    engine->request({{"extra.example.com"}, "", "", true});
    settle();
    EXPECT_EQ(view("extra.example.com").state, "local");
    EXPECT_EQ(ca.ordersMade(), 1);
    startEngine();
    EXPECT_EQ(ca.ordersMade(), 1) << "a restart forgets nothing";
    runUntil(start + hours(3) - minutes(1));
    EXPECT_EQ(ca.ordersMade(), 1);
    runUntil(start + hours(3) + minutes(5));
    EXPECT_EQ(view("extra.example.com").state, "acme");
    EXPECT_EQ(view("extra.example.com").lastError, "");
}

TEST_F(BudgetTest, TheNextCaIsAskedMeanwhile) {
    settings.cas.push_back({"second", ca.directory, "", {}, true});
    limit({LimitKind::certificatesPerSet, 1, hours(24 * 7)});
    startEngine();
    reissue(1);
    EXPECT_EQ(ca.ordersMade(), 1);
    EXPECT_EQ(secondCa.ordersMade(), 1);
    EXPECT_EQ(view(budgeted).lastError, "");
}

TEST_F(BudgetTest, WhatTheCaDidNotTakeDoesNotCount) {
    limit({LimitKind::certificatesPerSet, 2, hours(24 * 7)});
    ca.setRefusing(true);
    startEngine();
    reissue(3);
    EXPECT_EQ(view(budgeted).state, "local");
    ca.setRefusing(false);
    reissue(3);
    EXPECT_EQ(ca.ordersMade(), 6) << "four that came to nothing, and two";
    EXPECT_EQ(view(budgeted).state, "acme");
}

TEST_F(BudgetTest, DeletingAndAskingAgainGivesNothingBack) {
    limit({LimitKind::certificatesPerSet, 1, hours(24 * 7)});
    startEngine();
    for (int round = 0; round < 2; ++round) {
        engine->request({{"extra.example.com"}, "", "", true});
        settle();
        if (round == 0) engine->remove("extra.example.com");
        settle();
    }
    EXPECT_EQ(ca.ordersMade(), 2) << "one for each name";
    EXPECT_EQ(view("extra.example.com").state, "local");
}

TEST_F(BudgetTest, TheReserveIsUsedWhenTheCertificateIsAtItsEnd) {
    limit({LimitKind::certificatesPerSet, 2, hours(24 * 400), 1});
    startEngine();
    runUntil(start + hours(24 * 85));
    EXPECT_EQ(ca.ordersMade(), 1) << "it is due, and the rest is kept";
    EXPECT_NE(view(budgeted).lastError.str().find("kept for emergencies"), std::string::npos)
        << view(budgeted).lastError;
    runUntil(start + hours(24 * 87));
    EXPECT_EQ(ca.ordersMade(), 2) << "with less than 1/20 of its lifetime left";
    EXPECT_EQ(view(budgeted).state, "acme");
}

// The certificate of the CA has ended, and several local ones have followed it.
class FallenBackTest : public BudgetTest {
  protected:
    void fallBack() {
        startEngine();
        settings.acmeEnabled = false;
        startEngine();
        runUntil(start + hours(24 * 91));
        reissue(3);
        ASSERT_EQ(view(budgeted).state, "local");
        settings.acmeEnabled = true;
        startEngine();
    }
};

TEST_F(FallenBackTest, HasTheReserve) {
    limit({LimitKind::certificatesPerSet, 2, hours(24 * 400), 1});
    fallBack();
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_EQ(view(budgeted).state, "acme") << view(budgeted).lastError;
}

TEST_F(FallenBackTest, IsRenewedWhereRenewalsAreExempt) {
    limit({LimitKind::certificatesPerSet, 1, hours(24 * 400), 0, true});
    fallBack();
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_EQ(view(budgeted).state, "acme") << view(budgeted).lastError;
}

TEST_F(BudgetTest, ARenewalThatTheCaSuggestsIsExempt) {
    limit({LimitKind::certificatesPerSet, 1, hours(24 * 400)});
    ca.suggestRenewal(RenewalWindow{start + hours(24 * 10), start + hours(24 * 10 + 12)});
    startEngine();
    runUntil(start + hours(24 * 10 + 13));
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_NE(ca.replaced()[1], "");
}

TEST_F(BudgetTest, OfOrdersAtTheSameTimeNoneGetsTheLastOneTwice) {
    limit({LimitKind::certificatesPerDomain, 2, hours(24 * 7)});
    for (const char* const name : {"a.example.com", "b.example.com", "c.example.com"})
        profile.certificates.push_back(specFor(name));
    startEngine();
    EXPECT_EQ(ca.ordersMade(), 2);
    const auto served = std::ranges::count_if(views->certificates(),
                                              [](const auto& each) { return each.second.state == "acme"; });
    EXPECT_EQ(served, 2);
}

TEST_F(BudgetTest, WhatWentWrongBeforeStaysKnownWhileItWaits) {
    limit({LimitKind::orders, 1, hours(3)});
    ca.setRefusing(true);
    startEngine();
    EXPECT_EQ(view(budgeted).failures, 1U);
    reissue(1);
    EXPECT_EQ(ca.ordersMade(), 1);
    EXPECT_TRUE(view(budgeted).lastError.str().find("of which 1 is used") != std::string::npos &&
                view(budgeted).lastError.str().find("the last attempt that was made: ") != std::string::npos)
        << view(budgeted).lastError;
    ca.setRefusing(false);
    runUntil(start + hours(4));
    EXPECT_EQ(view(budgeted).lastError, "");
}

// As after a crash while the second CA was asked in the place of the first.
TEST_F(BudgetTest, AnOrderAtTheNextCaGoesOnThoughTheFirstMayBeAskedAgain) {
    settings.cas.push_back({"second", ca.directory, "", {}, true});
    limit({LimitKind::orders, 1, hours(3)});
    startEngine();
    engine->stop();
    settle();
    clock.advance(hours(4));
    const KeyId key = KeyId::parse("0123456789abcdef0123456789abcdef").value();
    store::KeyRepository(*database).intend(key, "order:gw.example.com");
    store::OrderRow row{0, budgeted, "second", ca.directory, key};
    row.intended = clock.now();
    store::OrderRepository orders(*database);
    orders.setState(orders.intend(row), store::OrderState::sending, "");
    store::CertificateRepository(*database).askReissue(budgeted, true);
    startEngine();
    EXPECT_EQ(ca.ordersMade(), 1);
    EXPECT_EQ(secondCa.ordersMade(), 1);
    EXPECT_EQ(view(budgeted).lastError, "");
}

TEST_F(BudgetTest, AClockThatWentBackDoesNotBlockForEver) {
    limit({LimitKind::orders, 1, hours(3)});
    startEngine();
    clock.set(start - hours(24 * 30));
    engine->review();
    settle();
    reissue(1);
    EXPECT_EQ(ca.ordersMade(), 1);
    runUntil(clock.now() + hours(3) + minutes(10));
    reissue(1);
    EXPECT_EQ(ca.ordersMade(), 2);
}

TEST_F(BudgetTest, UseAndForecastAreShown) {
    limit({LimitKind::orders, 3, hours(24 * 200), 1});
    limit({LimitKind::certificatesPerSet, 5, hours(24 * 7)});
    startEngine();
    const BudgetEntry orders = entry(LimitKind::orders, "");
    EXPECT_EQ(orders.bucket.account, "https://acme.test/account/1");
    EXPECT_EQ(orders.used, 1);
    EXPECT_EQ(orders.limit.reserve, 1);
    EXPECT_EQ(orders.next, std::nullopt);
    EXPECT_EQ(orders.forecast.planned, 1) << "the renewal";
    EXPECT_EQ(orders.forecast.usedUpFrom, std::nullopt);
    EXPECT_EQ(entry(LimitKind::certificatesPerSet, budgeted).used, 1);
    EXPECT_EQ(budget("fake").forecastUntil, start + hours(24 * 200));

    reissue(1);
    EXPECT_EQ(entry(LimitKind::orders, "").next, start + hours(24 * 200) / 3);
    EXPECT_EQ(entry(LimitKind::orders, "").forecast.usedUpFrom, TimePoint(seconds(view(budgeted).renewAt)))
        << "the third is kept for emergencies, and the next one comes back a week later";
    engine->request({{"extra.example.com"}, "", "", true});
    settle();
    EXPECT_EQ(view("extra.example.com").state, "local");
    EXPECT_EQ(entry(LimitKind::orders, "").forecast.planned, 2);
    EXPECT_EQ(entry(LimitKind::certificatesPerSet, "extra.example.com").forecast.planned, 1);
}

TEST_F(BudgetTest, OfACaWithoutLimitsNoneAreKnown) {
    limit({LimitKind::orders, 1, hours(3)});
    settings.cas.push_back({"second", ca.directory, "", {}, true});
    startEngine();
    EXPECT_EQ(entry(LimitKind::orders, "").used, 1);
    EXPECT_FALSE(budget("second").limitsKnown);
    EXPECT_TRUE(budget("second").entries.empty());
}

TEST_F(BudgetTest, WhatNoCaIsAskedForIsNotPlanned) {
    limit({LimitKind::orders, 3, hours(24 * 200)});
    profile.certificates[0].acme = false;
    startEngine();
    EXPECT_TRUE(budget("fake").limitsKnown);
    EXPECT_TRUE(budget("fake").entries.empty());
}

TEST_F(BudgetTest, ManyThatWaitForTheSameDoNotAllComeAtOnce) {
    limit({LimitKind::orders, 10, hours(10)});
    for (int number = 1; number < 30; ++number)
        profile.certificates.push_back(specFor("n" + std::to_string(number) + ".example.com"));
    startEngine();
    EXPECT_EQ(ca.ordersMade(), 10);
    std::set<std::int64_t> hoursOfAttempts;
    for (const auto& [id, shown] : views->certificates())
        if (shown.state == "local") hoursOfAttempts.insert(nextAttemptOf(id).time_since_epoch() / hours(1));
    EXPECT_GE(hoursOfAttempts.size(), 4U);
    const std::ptrdiff_t waitsBefore = log.count("not asked, since the CA allows");
    EXPECT_EQ(waitsBefore, 20);
    runUntil(start + hours(24 * 3));
    EXPECT_EQ(ca.ordersMade(), 30);
    EXPECT_LE(log.count("not asked, since the CA allows") - waitsBefore, 120) << "all at once would be 190";
}

class TrialTest : public BudgetTest {
  protected:
    TrialTest() {
        settings.cas[0].staging = "second";
        settings.trialCas.push_back({"second", "https://acme.test/trial/directory", "", {}, true});
        settings.trialCas[0].forTests = true;
    }
    void startAfterARefusedChallenge() {
        startEngine();
        engine->stop();
        settle();
        store::CertificateRepository certificates(*database);
        certificates.attemptFailed(budgeted, {1, std::nullopt}, clock.now(), "authorization-failed", "no",
                                   "");
        certificates.askReissue(budgeted, true);
        startEngine();
    }
};

TEST_F(TrialTest, TheLimitsOfTheCaForTestsHold) {
    settings.trialCas[0].limits.push_back({LimitKind::orders, 1, minutes(50)});
    startAfterARefusedChallenge();
    EXPECT_EQ(secondCa.ordersMade(), 1);
    EXPECT_EQ(ca.ordersMade(), 2);
    startAfterARefusedChallenge();
    EXPECT_EQ(secondCa.ordersMade(), 1);
    EXPECT_EQ(ca.ordersMade(), 2) << "nor is the CA itself asked without a trial";
    EXPECT_NE(view(budgeted).lastError.str().find("second: not asked, since the CA allows 1 order"),
              std::string::npos)
        << view(budgeted).lastError;
    EXPECT_EQ(budget("second").entries.size(), 1U);
    clock.advance(hours(25));
    reissue(1);
    EXPECT_EQ(secondCa.ordersMade(), 2);
    EXPECT_EQ(ca.ordersMade(), 3);
}

TEST_F(TrialTest, IsOrderedUnderTheProfileThatIsWantedThere) {
    settings.trialCas[0].profile.name = "shortlived";
    secondCa.offerProfiles({{"shortlived", hours(160)}});
    startAfterARefusedChallenge();
    EXPECT_EQ(secondCa.profilesAsked(), std::vector<std::string>{"shortlived"});
}

TEST_F(TrialTest, OneThatIsAwayForLongKeepsNobodyWaiting) {
    secondCa.refuseOrders({"serverInternal", "Service busy; retry later.", 503, 3600 * 24 * 7});
    startAfterARefusedChallenge();
    EXPECT_EQ(secondCa.profilesAsked().size(), 1U);
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_EQ(view(budgeted).lastError, "");
    startAfterARefusedChallenge();
    EXPECT_EQ(secondCa.profilesAsked().size(), 1U) << "it has asked to wait";
    EXPECT_EQ(ca.ordersMade(), 3);
}

TEST_F(BudgetTest, AnAccountIsNotMadeWhereTheCaAllowsNoMore) {
    limit({LimitKind::accounts, 1, hours(3)});
    startEngine();
    EXPECT_EQ(entry(LimitKind::accounts, "").used, 1);
    engine->deactivateAccount("fake");
    settle();
    reissue(1);
    EXPECT_EQ(ca.accountsMade(), 1);
    EXPECT_NE(view(budgeted).lastError.str().find("1 new account in 3 hours"), std::string::npos)
        << view(budgeted).lastError;
    clock.advance(hours(3));
    reissue(1);
    EXPECT_EQ(ca.accountsMade(), 2);
    EXPECT_EQ(ca.ordersMade(), 2);
}

TEST_F(BudgetTest, WhatCameToNothingIsGivenBack) {
    limit({LimitKind::orders, 2, hours(3)});
    limit({LimitKind::certificatesPerSet, 1, hours(24 * 7)});
    ca.refuseOrders({"rejectedIdentifier", "not this one", 400});
    startEngine();
    EXPECT_EQ(entry(LimitKind::orders, "").used, 0) << "a refused newOrder is none";
    EXPECT_EQ(entry(LimitKind::certificatesPerSet, budgeted).used, 0);
    ca.refuseOrders({});
    ca.setRefusing(true);
    reissue(1);
    EXPECT_EQ(entry(LimitKind::orders, "").used, 1) << "an order without a certificate was one";
    EXPECT_EQ(entry(LimitKind::certificatesPerSet, budgeted).used, 0);
    ca.setRefusing(false);
    reissue(1);
    EXPECT_EQ(entry(LimitKind::orders, "").used, 2);
    EXPECT_EQ(entry(LimitKind::certificatesPerSet, budgeted).used, 1);
    EXPECT_EQ(view(budgeted).state, "acme");
}

}  // namespace
}  // namespace certmgr::engine
