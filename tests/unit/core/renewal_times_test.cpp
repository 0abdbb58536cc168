#include <gtest/gtest.h>

#include "certmgr/core/decision.h"
#include "tests/unit/core/moments.h"

namespace certmgr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

CertificateSummary leafOf(seconds lifetime, const std::string& sha256 = "") {
    CertificateSummary leaf;
    leaf.sha256 = sha256;
    leaf.notBefore = start;
    leaf.notAfter = start + lifetime;
    return leaf;
}

TEST(RenewalTime, leavesAThirdOrAHalf) {
    EXPECT_EQ(renewalTime(leafOf(hours(24 * 90))), start + hours(24 * 60));
    EXPECT_EQ(renewalTime(leafOf(hours(160))), start + hours(80));
    EXPECT_EQ(renewalTime(leafOf(hours(24 * 10))), start + hours(160));
}

TEST(RenewalTime, isSpreadByTheFingerprint) {
    const TimePoint latest = renewalTime(leafOf(hours(24 * 90), "00000000"));
    const TimePoint middle = renewalTime(leafOf(hours(24 * 90), "80000000"));
    const TimePoint earliest = renewalTime(leafOf(hours(24 * 90), "ffffffffff"));
    EXPECT_EQ(latest, start + hours(24 * 60));
    EXPECT_EQ(latest - middle, seconds(hours(24 * 90)) / 100);
    EXPECT_NEAR(static_cast<double>((latest - earliest).count()), 24 * 90 * 3600 / 50.0, 2);
}

TEST(LatestRenewal, isBeforeTheLastStretchWhateverTheCaSuggests) {
    EXPECT_EQ(latestRenewal(leafOf(hours(24 * 90))), start + hours(24 * 90 - 108));
    EXPECT_EQ(lastStretch(leafOf(hours(24 * 90))), start + hours(24 * 89));
    EXPECT_EQ(latestRenewal(leafOf(hours(160))), start + hours(128));
    EXPECT_EQ(lastStretch(leafOf(hours(160))), start + hours(156));
    EXPECT_EQ(acmeRenewalTime(leafOf(hours(160)), start + hours(159)), start + hours(128));
    EXPECT_EQ(acmeRenewalTime(leafOf(hours(160)), start + hours(100)), start + hours(100));
    EXPECT_EQ(acmeRenewalTime(leafOf(hours(160)), std::nullopt), start + hours(80));
}

// Of a CA that suggests the last moment and is then away, at the largest jitter.
TEST(LatestRenewal, leavesTimeForSeveralAttempts) {
    const auto attempts = [](seconds lifetime) {
        CertificateFacts facts;
        facts.current = Credential{1, "", Source::acme, KeyId::fresh(), "", leafOf(lifetime), "letsencrypt"};
        facts.renewAt = start + lifetime;
        TimePoint now = latestRenewal(facts.current->leaf);
        int count = 0;
        for (; decide(facts, now).action == Action::orderAcme; now = *facts.acme.nextAttempt) {
            std::optional<seconds> remaining;
            if (lifetime < hours(24 * 10)) remaining = facts.current->leaf.notAfter - now;
            facts.acme = {++count, nextAttempt(count, now, remaining, 0.999, std::nullopt)};
            if (*facts.acme.nextAttempt >= lastStretch(facts.current->leaf)) break;
        }
        return count;
    };
    EXPECT_GE(attempts(hours(12)), 4) << "of a CA inside the company";
    EXPECT_GE(attempts(hours(160)), 10);
    EXPECT_GE(attempts(hours(24 * 10) - seconds(1)), 10);
    EXPECT_GE(attempts(hours(24 * 10)), 4);
    EXPECT_GE(attempts(hours(24 * 45)), 4);
    EXPECT_GE(attempts(hours(24 * 90)), 6);
}

TEST(NextAttempt, goesDownTheLadder) {
    EXPECT_EQ(nextAttempt(1, start, {}, 0, {}) - start, minutes(1));
    EXPECT_EQ(nextAttempt(2, start, {}, 0, {}) - start, minutes(10));
    EXPECT_EQ(nextAttempt(3, start, {}, 0, {}) - start, minutes(100));
    EXPECT_EQ(nextAttempt(4, start, {}, 0, {}) - start, hours(24));
    EXPECT_EQ(nextAttempt(4000, start, {}, 0, {}) - start, hours(24));
    EXPECT_EQ(nextAttempt(4, start, {}, 0.5, {}) - start, hours(27));
}

TEST(NextAttempt, hurriesForShortLivedOnes) {
    EXPECT_EQ(nextAttempt(4, start, hours(80), 0, {}) - start, hours(10));
    EXPECT_EQ(nextAttempt(4, start, hours(800), 0, {}) - start, hours(24));
    EXPECT_EQ(nextAttempt(4, start, seconds(60), 0, {}) - start, minutes(15));
    EXPECT_EQ(nextAttempt(2, start, seconds(60), 0, {}) - start, minutes(10));
}

TEST(NextAttempt, obeysRetryAfterWithinReason) {
    EXPECT_EQ(nextAttempt(1, start, {}, 0, start + hours(3)) - start, hours(3));
    EXPECT_EQ(nextAttempt(4, start, {}, 0, start + hours(3)) - start, hours(24));
    EXPECT_EQ(nextAttempt(1, start, {}, 0, start + hours(24 * 3650)) - start, hours(24 * 7));
}

TEST(NextAttempt, isNeverOnARoundMinute) {
    const TimePoint round{seconds{1'800'000'000}};
    for (int failures = 1; failures < 6; ++failures)
        for (double jitter = 0; jitter < 1; jitter += 0.01) {
            const TimePoint next = nextAttempt(failures, round, {}, jitter, {});
            EXPECT_NE(next.time_since_epoch() % minutes(1), seconds(0)) << failures << " " << jitter;
        }
}

TEST(BelievedAttempt, isWhatTheLadderAndACaMaySay) {
    EXPECT_EQ(believedAttempt(std::nullopt, start, start), std::nullopt);
    const TimePoint longest = nextAttempt(4, start, {}, 0.999, start + hours(24 * 3650));
    for (const TimePoint next : {start - hours(1), start + minutes(1), longest})
        EXPECT_EQ(believedAttempt(next, start, start), next) << formatTime(next);
    for (const TimePoint round : {start, start + seconds(60 - 37)})  // one that ends on a round minute
        EXPECT_LE(nextAttempt(1, round, {}, 0.999, round + hours(24 * 3650)) - round,
                  hours(24 * 7) + minutes(1));
}

TEST(BelievedAttempt, isNotWhatAClockThatWasAheadHasStored) {
    const TimePoint ahead = start + hours(24 * 365 * 5);
    EXPECT_LE(believedAttempt(ahead + minutes(1), std::nullopt, start), start);
    EXPECT_LE(believedAttempt(start + hours(24 * 8), std::nullopt, start), start);
    EXPECT_EQ(believedAttempt(start + hours(27), start + hours(1), start), std::nullopt)
        << "within the longest wait, and the attempt before it is still to come";
    EXPECT_EQ(believedAttempt(start + hours(27), start, start), start + hours(27));
}

TEST(CaInTurn, hasTwoAttemptsAndThenTheNextOne) {
    std::string turns;
    for (int failures = 0; failures < 7; ++failures) turns += std::to_string(caInTurn(failures, 3));
    EXPECT_EQ(turns, "0011220");
    EXPECT_EQ(caInTurn(5, 1), 0u);
    EXPECT_EQ(endOfTurn(0), 2);
    EXPECT_EQ(endOfTurn(1), 2);
    EXPECT_EQ(endOfTurn(2), 4);
}

}  // namespace
}  // namespace certmgr
