// What a CA has said to leave alone: names that it paused, and orders that it wants to be asked for later.
#include <ranges>

#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing_support::FakeAcme;

constexpr const char* paused = "gw.example.com";
constexpr const char* page = "https://portal.example/sfe/v1/unpause?jwt=eyJhbGciOi.abc";
const FakeAcme::Refusal pause{
    "rateLimited",
    std::string("Your account is temporarily prevented from requesting certificates for gw.example.com and "
                "possibly others. Please visit: ") +
        page,
    429, 0, paused};
const FakeAcme::Refusal tooManyOrders{
    "rateLimited", "too many new orders (300) from this account in the last 3h0m0s", 429, 3600};
const FakeAcme::Refusal awayForAWeek{"serverInternal", "Service busy; retry later.", 503, 3600 * 24 * 7};

class PausesTest : public EngineTest {
  protected:
    std::size_t asked() const { return ca.profilesAsked().size(); }
    void reissue() {
        engine->reissue(paused);
        settle();
    }
    void request(const std::string& name) {
        engine->request({{name}, "", "", true});
        settle();
    }
    void reviewAll() {
        engine->review();
        settle();
    }
    std::vector<CaPause> pauses() {
        std::vector<CaPause> found;
        engine->budget([&](const Budgets& all) { found = all.cas.at(0).pauses; });
        settle();
        return found;
    }
    void failOnAClockAheadBy(seconds ahead) {
        clock.set(start + ahead);
        ca.setRefusing(true);
        startEngine();
        ASSERT_EQ(view(paused).state, "local");
        clock.set(start);
        ca.setRefusing(false);
        engine->review();
        settle();
    }
    void addNames(int count) {
        for (int number = 1; number <= count; ++number)
            profile.certificates.push_back(specFor("n" + std::to_string(number) + ".example.com"));
    }
};

TEST_F(PausesTest, APausedNameIsLeftAloneForADayAndItsPageIsShown) {
    ca.refuseOrders(pause);
    startEngine();
    EXPECT_EQ(asked(), 1U);
    EXPECT_NE(view(paused).pause.str().find(std::string("to end the pause visit ") + page), std::string::npos)
        << view(paused).pause.str();
    EXPECT_TRUE(view(paused).pause.str().starts_with(
        "gw.example.com is paused by fake and left alone until 2026-11-23T12:"))
        << view(paused).pause.str();
    EXPECT_NE(view(paused).lastProblem.str().find(page), std::string::npos);
    EXPECT_EQ(view(paused).lastError.str().find("jwt"), std::string::npos) << "that goes into the journal";
    EXPECT_FALSE(log.contains("jwt"));
    ASSERT_EQ(pauses().size(), 1U);
    EXPECT_EQ(pauses()[0].subject, paused);
    EXPECT_EQ(pauses()[0].url, page);
    request("extra.example.com");
    EXPECT_EQ(view("extra.example.com").state, "acme") << "the others are not meant";
    EXPECT_EQ(view("extra.example.com").pause, "");
    startEngine();
    runUntil(start + hours(24) - minutes(1));
    EXPECT_EQ(asked(), 2U);
    runUntil(start + hours(24 * 3));
    EXPECT_GE(asked(), 3U);
    EXPECT_LE(asked(), 5U);
    EXPECT_FALSE(log.contains("jwt"));
}

TEST_F(PausesTest, WhereTheCaDoesNotSayWhichNamesItHasPausedThoseOfTheOrderAreLeftAlone) {
    ca.refuseOrders(
        {"rateLimited", std::string("Some names are paused. Please visit: ") + page, 429, 60, paused});
    startEngine();
    ASSERT_EQ(pauses().size(), 1U);
    EXPECT_EQ(pauses()[0].subject, paused);
    request("extra.example.com");
    EXPECT_EQ(view("extra.example.com").state, "acme");
    runUntil(start + hours(23));
    EXPECT_EQ(asked(), 2U);
}

TEST_F(PausesTest, ARetryByHandEndsThePause) {
    ca.refuseOrders(pause);
    startEngine();
    reissue();
    EXPECT_EQ(asked(), 2U) << "who has visited the page knows better";
    EXPECT_NE(view(paused).pause, "");
    ca.refuseOrders({});
    reissue();
    EXPECT_EQ(view(paused).state, "acme");
    EXPECT_EQ(view(paused).pause, "");
    EXPECT_TRUE(pauses().empty());
}

TEST_F(PausesTest, TheNextCaTakesOver) {
    settings.cas.push_back({"second", "https://acme.test/second/directory", "", {}, true});
    ca.refuseOrders(pause);
    startEngine();
    runUntil(start + minutes(15));
    EXPECT_EQ(view(paused).state, "acme");
    EXPECT_EQ(secondCa.ordersMade(), 1);
    EXPECT_NE(view(paused).pause, "") << "it is told while it holds";
    store::CertificateRepository(*database).askReissue(paused, true);  // as what is due by time
    engine->review();
    settle();
    EXPECT_EQ(secondCa.ordersMade(), 2);
    EXPECT_EQ(asked(), 1U);
}

TEST_F(PausesTest, NobodyAsksBeforeTheTimeThatTheCaHasSaid) {
    addNames(30);
    settings.workers = 1;
    ca.refuseOrders(tooManyOrders);
    startEngine();
    EXPECT_EQ(asked(), 1U) << "what the first is told holds for all";
    ASSERT_EQ(pauses().size(), 1U);
    EXPECT_EQ(pauses()[0].subject, "");
    EXPECT_NE(view("n7.example.com").lastError.str().find("too many new orders (300)"), std::string::npos)
        << view("n7.example.com").lastError;
    EXPECT_NE(view("n7.example.com").pause.str().find("fake asks to wait until 2026-11-22T1"),
              std::string::npos)
        << view("n7.example.com").pause.str();
    EXPECT_EQ(std::ranges::count(views->certificates() | std::views::values, 1U, &CertificateView::failures),
              1)
        << "the others were not asked for";
    startEngine();
    runUntil(start + minutes(59));
    EXPECT_EQ(asked(), 1U);
    ca.refuseOrders({});
    runUntil(start + minutes(63));
    EXPECT_LE(asked(), 25U) << "they do not all come at once";
    runUntil(start + hours(2));
    EXPECT_EQ(asked(), 32U);
    EXPECT_EQ(view("n7.example.com").state, "acme");
    EXPECT_EQ(view("n7.example.com").pause, "");
}

TEST_F(PausesTest, AnOverloadedCaIsLeftAloneByAll) {
    addNames(5);
    settings.workers = 1;
    ca.refuseOrders({"serverInternal", "Service busy; retry later.", 503, 600});
    startEngine();
    EXPECT_EQ(asked(), 1U);
    ca.refuseOrders({});
    runUntil(start + minutes(9));
    EXPECT_EQ(asked(), 1U);
    runUntil(start + minutes(30));
    EXPECT_EQ(asked(), 7U);
}

TEST_F(PausesTest, OnlyNamesBelowTheDomainWaitForIt) {
    ca.refuseOrders({"rateLimited",
                     "too many certificates (50) already issued for \"example.com\" in the last 168h0m0s",
                     429, 3600, paused});
    startEngine();
    request("n1.example.com");
    request("gw.example.org");
    EXPECT_EQ(view("gw.example.org").state, "acme");
    EXPECT_EQ(view("n1.example.com").state, "local");
    EXPECT_EQ(asked(), 2U);
    ca.refuseOrders({});
    runUntil(start + hours(2));
    EXPECT_EQ(view("n1.example.com").state, "acme");
}

TEST_F(PausesTest, ARenewalThatTheCaDoesNotCountWaitsForNone) {
    RateLimit perDomain{LimitKind::certificatesPerDomain, 50, hours(24 * 7)};
    perDomain.renewalsExempt = true;
    settings.cas[0].limits.push_back(perDomain);
    startEngine();
    ca.refuseOrders({"rateLimited",
                     "too many certificates (50) already issued for \"example.com\" in the last 168h0m0s",
                     429, 3600, "n1.example.com"});
    request("n1.example.com");
    ASSERT_EQ(pauses().size(), 1U);
    request("n2.example.com");
    EXPECT_EQ(view("n2.example.com").state, "local") << "it counts";
    clock.advance(day * 62);
    ca.refuseOrders({"rateLimited", "too many certificates (50) already issued for \"example.com\"", 429,
                     3600 * 24, "n1.example.com"});
    engine->reissue("n1.example.com");
    settle();
    ASSERT_EQ(pauses().size(), 1U);
    const int before = ca.ordersMade();
    reviewAll();
    EXPECT_EQ(ca.ordersMade(), before + 1) << view(paused).lastError;
}

TEST_F(PausesTest, ACaThatHasAskedToWaitIsNotAskedWhenToRenewEither) {
    ca.suggestRenewal(RenewalWindow{start + 50 * day, start + 51 * day});
    startEngine();
    request("extra.example.com");
    const int before = ca.renewalQueries();
    ca.refuseOrders({"serverInternal", "Service busy; retry later.", 503, 3600 * 20});
    request("other.example.com");
    runUntil(start + hours(18));
    EXPECT_EQ(ca.renewalQueries(), before);
    ca.refuseOrders({});
    runUntil(start + hours(48));
    EXPECT_GT(ca.renewalQueries(), before);
}

TEST_F(PausesTest, AnOddAnswerHoldsTheOthersBackForADayAtTheMost) {
    ca.refuseOrders(awayForAWeek);
    startEngine();
    ASSERT_EQ(pauses().size(), 1U);
    EXPECT_EQ(pauses()[0].until, start + hours(24));
    request("extra.example.com");
    EXPECT_EQ(asked(), 1U);
    ca.refuseOrders({});
    runUntil(start + hours(25));
    EXPECT_EQ(view("extra.example.com").state, "acme");
}

// gw.example.com has less than 1/20 of its lifetime left.
TEST_F(PausesTest, AnEmergencyIsAskedForAllTheSame) {
    startEngine();
    clock.advance(hours(24 * 86));
    ca.refuseOrders(awayForAWeek);
    request("extra.example.com");
    EXPECT_EQ(asked(), 2U);
    reviewAll();
    EXPECT_EQ(asked(), 3U);
    reviewAll();
    EXPECT_EQ(asked(), 3U) << "what it is told itself it obeys";
    EXPECT_EQ(view(paused).failures, 1U);
}

TEST_F(PausesTest, AnEmergencyGoesToTheCaThatHasNotAskedToWait) {
    settings.cas.push_back({"second", "https://acme.test/second/directory", "", {}, true});
    startEngine();
    clock.advance(hours(24 * 86));
    ca.refuseOrders(awayForAWeek);
    request("extra.example.com");
    EXPECT_EQ(asked(), 2U);
    reviewAll();
    EXPECT_EQ(asked(), 2U);
    EXPECT_EQ(secondCa.ordersMade(), 1);
    EXPECT_EQ(view(paused).failures, 0U);
}

TEST_F(PausesTest, WhatIsToBecomeAnEmergencyWaitsNoLonger) {
    startEngine();
    clock.advance(hours(24 * 85));
    ca.refuseOrders(awayForAWeek);
    request("extra.example.com");
    ca.refuseOrders({});
    reviewAll();
    EXPECT_EQ(asked(), 2U);
    EXPECT_NE(view(paused).lastError, "");
    runUntil(start + hours(24 * 85 + 13));
    EXPECT_EQ(asked(), 3U) << "half a day before the others";
    EXPECT_EQ(view(paused).lastError, "");
}

TEST_F(PausesTest, AClockThatWasWrongDoesNotBlockForEver) {
    clock.set(start + hours(24 * 365 * 5));
    ca.refuseOrders(tooManyOrders);
    startEngine();
    clock.set(start);
    ca.refuseOrders({});
    engine->review();
    settle();
    ASSERT_EQ(pauses().size(), 1U);
    EXPECT_EQ(pauses()[0].until, start + hours(24));
    runUntil(start + hours(12));
    EXPECT_EQ(pauses().at(0).until, start + hours(24)) << "it ages";
    EXPECT_EQ(asked(), 1U) << "what the CA has said is obeyed";
    runUntil(start + hours(25));
    EXPECT_EQ(view(paused).state, "acme");
}

TEST_F(PausesTest, NorDoesAnAttemptThatFailedThen) {
    failOnAClockAheadBy(day * 365 * 5);
    EXPECT_EQ(view(paused).state, "acme") << view(paused).reason;
}

TEST_F(PausesTest, NorOneThatIsNoFurtherAheadThanACaMaySay) {
    failOnAClockAheadBy(day * 3);
    EXPECT_EQ(view(paused).state, "acme") << view(paused).reason;
}

TEST_F(PausesTest, AnotherAccountIsNotMeant) {
    ca.refuseOrders(pause);
    startEngine();
    engine->deactivateAccount("fake");
    settle();
    EXPECT_TRUE(pauses().empty());
}

}  // namespace
}  // namespace certmgr::engine
