#include "certmgr/core/renewal_info.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr TimePoint now{seconds{1'800'000'000}};

TEST(RenewalInfoTest, ATimeInTheWindowIsChosenUniformly) {
    const RenewalWindow window{now, now + hours(10)};
    EXPECT_EQ(chooseIn(window, 0), now);
    EXPECT_EQ(chooseIn(window, 0.5), now + hours(5));
    EXPECT_LT(chooseIn(window, 0.9999), window.end);
}

TEST(RenewalInfoTest, TheCaIsAskedAgainAsItSaysWithinAMinuteAndADay) {
    EXPECT_EQ(nextQuery(now, std::nullopt), now + hours(6));
    EXPECT_EQ(nextQuery(now, hours(3)), now + hours(3));
    EXPECT_EQ(nextQuery(now, seconds(0)), now + minutes(1));
    EXPECT_EQ(nextQuery(now, hours(1000)), now + hours(24));
}

TEST(RenewalInfoTest, ATemporaryFailureIsRetriedSoonAndThenLessOften) {
    EXPECT_EQ(nextQueryAfterFailure(1, now), now + minutes(1));
    EXPECT_EQ(nextQueryAfterFailure(4, now), now + minutes(8));
    EXPECT_EQ(nextQueryAfterFailure(50, now), now + hours(6));
}

TEST(RenewalInfoTest, AQueryFurtherAheadThanAnyIsDue) {
    for (const TimePoint next : {now - hours(1), nextQuery(now, std::nullopt), nextQueryOfSilentCa(now)})
        EXPECT_EQ(believedQuery(next, now), next);
    EXPECT_EQ(believedQuery(nextQueryOfSilentCa(now) + seconds(1), now), now);
}

}  // namespace
}  // namespace certmgr
