#include "certmgr/core/rate_budget.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr TimePoint start{seconds{1'800'000'037}};
constexpr seconds week = hours(24 * 7);

// Let's Encrypt's.
const std::vector<RateLimit> limits{{LimitKind::accounts, 10, hours(3)},
                                    {LimitKind::orders, 300, hours(3), 30, true},
                                    {LimitKind::certificatesPerDomain, 50, week, 5, true},
                                    {LimitKind::certificatesPerSet, 5, week, 1},
                                    {LimitKind::authorizationFailures, 5, hours(1)}};
const BucketId set{LimitKind::certificatesPerSet, "", "gw.example.com"};

OrderFacts orderFor(const std::vector<std::string>& names) {
    OrderFacts order;
    order.account = "https://ca/acct/1";
    order.names = parseIdentifiers(names);
    order.domains = {"example.com"};
    return order;
}

Credential credentialOf(Source source) {
    Credential credential;
    credential.source = source;
    credential.leaf.notBefore = start;
    credential.leaf.notAfter = start + hours(24 * 100);
    return credential;
}

// How many in a row are let through at that time.
int burst(const RateLimit& limit, Buckets& buckets, const BucketId& id, TimePoint at, bool emergency) {
    int count = 0;
    for (; count < 1000; ++count) {
        const auto known = buckets.contains(id) ? std::optional(buckets.at(id)) : std::nullopt;
        if (nextOf(limit, known, at, emergency)) break;
        buckets[id] = spent(limit, known, at);
    }
    return count;
}

TEST(RateLimitOf, aBucketRefillsOneByOne) {
    const RateLimit& limit = limits[3];
    Buckets buckets;
    EXPECT_EQ(burst(limit, buckets, set, start, true), 5);
    EXPECT_EQ(usedOf(limit, buckets[set], start), 5);
    EXPECT_EQ(nextOf(limit, buckets[set], start, true), start + week / 5);
    EXPECT_EQ(burst(limit, buckets, set, start + week / 5 - seconds(1), true), 0);
    EXPECT_EQ(burst(limit, buckets, set, start + week / 5, true), 1) << "34 hours, says Let's Encrypt";
    EXPECT_EQ(burst(limit, buckets, set, start + week / 5 + week, true), 5)
        << "and never more than there are";
}

TEST(RateLimitOf, theReserveIsForEmergenciesOnly) {
    const RateLimit& limit = limits[3];
    Buckets buckets;
    EXPECT_EQ(burst(limit, buckets, set, start, false), 4);
    EXPECT_EQ(nextOf(limit, buckets[set], start, false), start + week / 5);
    EXPECT_EQ(burst(limit, buckets, set, start, true), 1);
    EXPECT_EQ(nextOf(limit, buckets[set], start, false), start + 2 * (week / 5))
        << "its own share comes back last";
}

TEST(RateLimitOf, aStepIsAtLeastASecondAndRoundedUp) {
    EXPECT_EQ((RateLimit{LimitKind::orders, 300, hours(3)}).step(), seconds(36));
    EXPECT_EQ((RateLimit{LimitKind::orders, 3, seconds(10)}).step(), seconds(4));
    EXPECT_EQ((RateLimit{LimitKind::orders, 100, seconds(1)}).step(), seconds(1));
}

TEST(RateLimitOf, whatTheCaDidNotTakeIsGivenBack) {
    const RateLimit& limit = limits[1];
    const TimePoint one = spent(limit, std::nullopt, start);
    EXPECT_EQ(givenBack(limit, spent(limit, one, start)), one);
    EXPECT_EQ(usedOf(limit, givenBack(limit, one), start), 0);
}

TEST(RateLimitOf, aJumpOfTheClockNeitherOpensNorBlocksForEver) {
    const RateLimit& limit = limits[3];
    const TimePoint fromTheFuture = start + hours(24 * 365 * 10);
    EXPECT_EQ(usedOf(limit, fromTheFuture, start), 5);
    EXPECT_EQ(nextOf(limit, fromTheFuture, start, true), start + week / 5);
    const TimePoint stored = believed(limit, fromTheFuture, start);
    EXPECT_EQ(nextOf(limit, stored, start + week / 5, true), std::nullopt) << "it ages from then on";
    EXPECT_EQ(spent(limit, fromTheFuture, start), start + week);
}

TEST(Budget, anOrderIsHeldAgainstEachBucketOfItsNames) {
    const OrderFacts order = orderFor({"gw.example.com", "*.gw.example.com"});
    const std::set<BucketId> buckets = bucketsOf(limits, order);
    EXPECT_EQ(buckets, (std::set<BucketId>{
                           {LimitKind::orders, "https://ca/acct/1", ""},
                           {LimitKind::certificatesPerDomain, "", "example.com"},
                           {LimitKind::certificatesPerSet, "", "*.gw.example.com, gw.example.com"},
                           {LimitKind::authorizationFailures, "https://ca/acct/1", "gw.example.com"}}));
    EXPECT_TRUE(bucketsOf({}, order).empty()) << "a CA without limits";
    OrderFacts first = order;
    first.account.clear();
    EXPECT_TRUE(bucketsOf(limits, first).contains({LimitKind::accounts, "", ""}));
}

TEST(Budget, aRenewalIsExemptWhereTheLimitSaysSoAndASuggestedOneFromAll) {
    OrderFacts order = orderFor({"gw.example.com"});
    order.renewal = true;
    const std::set<BucketId> buckets = bucketsOf(limits, order);
    EXPECT_EQ(buckets.size(), 2U);
    EXPECT_TRUE(buckets.contains(set));
    Buckets full{{set, start + week}};
    EXPECT_TRUE(mayOrder(limits, order, full, start).notBefore);
    order.suggested = true;
    EXPECT_TRUE(bucketsOf(limits, order).empty());
    EXPECT_FALSE(mayOrder(limits, order, full, start).notBefore);
}

TEST(Budget, theLongestWaitDecidesAndIsSaidInWords) {
    const OrderFacts order = orderFor({"gw.example.com"});
    const Buckets used{{{LimitKind::orders, "https://ca/acct/1", ""}, start + hours(3)}, {set, start + week}};
    const BudgetVerdict verdict = mayOrder(limits, order, used, start);
    EXPECT_EQ(verdict.notBefore, start + 2 * (week / 5));
    EXPECT_EQ(verdict.step, week / 5);
    EXPECT_EQ(
        verdict.reason,
        "not asked, since the CA allows 5 certificates for exactly gw.example.com in 7 days, of which 5 "
        "are used; the next one may be had at " +
            formatTime(*verdict.notBefore) +
            "; each reissue of the same names counts, another set of names has a limit of its own");
    EXPECT_FALSE(mayOrder(limits, order, used, *verdict.notBefore).notBefore);
}

TEST(Budget, theSentenceSaysWhatIsKept) {
    const OrderFacts order = orderFor({"gw.example.com"});
    Buckets used{{set, start + 4 * (week / 5)}};
    EXPECT_NE(
        mayOrder(limits, order, used, start).reason.find("4 are used and the rest is kept for emergencies"),
        std::string::npos);
    OrderFacts emergency = order;
    emergency.emergency = true;
    EXPECT_FALSE(mayOrder(limits, emergency, used, start).notBefore);
}

TEST(Budget, anotherAccountHasOrdersOfItsOwnButNotCertificates) {
    OrderFacts order = orderFor({"gw.example.com"});
    const Buckets used{{{LimitKind::orders, order.account, ""}, start + hours(3)}};
    EXPECT_TRUE(mayOrder(limits, order, used, start).notBefore);
    order.account = "https://ca/acct/2";
    EXPECT_FALSE(mayOrder(limits, order, used, start).notBefore);
    EXPECT_TRUE(mayOrder(limits, order, {{set, start + week}}, start).notBefore);
}

TEST(Emergency, isWhatOthersTrustedAndIsAtItsEnd) {
    const Credential trusted = credentialOf(Source::acme);
    EXPECT_FALSE(isEmergency(std::nullopt, false, start)) << "a name that never had one";
    EXPECT_FALSE(isEmergency(credentialOf(Source::local), false, start));
    EXPECT_TRUE(isEmergency(credentialOf(Source::local), true, start)) << "it has ended, or its key is lost";
    EXPECT_FALSE(isEmergency(trusted, true, start));
    EXPECT_EQ(emergencyOf(trusted, start), start + hours(24 * 95));
    EXPECT_TRUE(isEmergency(trusted, false, start + hours(24 * 95)));
    EXPECT_EQ(emergencyOf(trusted, start + hours(24 * 95)), std::nullopt);
    EXPECT_TRUE(isEmergency(credentialOf(Source::uploaded), false, start + hours(24 * 99)));
    EXPECT_EQ(emergencyOf(credentialOf(Source::local), start), std::nullopt);
}

TEST(Forecast, countsWhatIsPlannedAndSaysWhenItNoLongerFits) {
    std::vector<PlannedOrder> planned;
    for (int after = 3; after >= 1; --after)
        planned.push_back({start + after * hours(24), orderFor({"gw.example.com"})});
    Buckets used{{set, start + 3 * (week / 5)}};
    const auto seen = forecast(limits, used, planned, start);
    EXPECT_EQ(seen.at(set).planned, 3);
    EXPECT_EQ(seen.at(set).usedUpFrom, std::nullopt) << "what comes back meanwhile is enough";
    used[set] = start + week;
    EXPECT_EQ(forecast(limits, used, planned, start).at(set).usedUpFrom, start + hours(24));
    EXPECT_EQ(forecast(limits, used, planned, start).at({LimitKind::orders, "https://ca/acct/1", ""}).planned,
              3);
    EXPECT_FALSE(seen.contains({LimitKind::authorizationFailures, "https://ca/acct/1", "gw.example.com"}));
}

TEST(Forecast, theFirstOrderMakesTheAccountForAll) {
    const std::vector<RateLimit> one{{LimitKind::accounts, 1, hours(3)}, {LimitKind::orders, 5, hours(3)}};
    OrderFacts order = orderFor({"gw.example.com"});
    order.account.clear();
    const auto seen = forecast(one, {}, {{start, order}, {start, order}}, start);
    EXPECT_EQ(seen.at({LimitKind::accounts, "", ""}), (BucketForecast{1, std::nullopt}));
    EXPECT_EQ(seen.at({LimitKind::orders, "", ""}).planned, 2);
}

TEST(LimitKinds, haveWords) {
    for (const RateLimit& limit : limits) EXPECT_EQ(limitKindFrom(toString(limit.kind)), limit.kind);
    EXPECT_EQ(limitKindFrom("patience"), std::nullopt);
}

}  // namespace
}  // namespace certmgr
