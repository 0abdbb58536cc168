#include "certmgr/core/reload_window.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

const TimePoint midnight = std::chrono::sys_days(std::chrono::year(2027) / 6 / 1);
constexpr seconds utc{0};

CertificateSummary until(TimePoint end) {
    CertificateSummary summary;
    summary.notBefore = midnight - days(60);
    summary.notAfter = end;
    return summary;
}

TimePoint may(const char* window, TimePoint now, seconds offset = utc) {
    return mayBringAt(reloadWindowFrom(window).value(), until(midnight + days(30)), now, offset);
}

TEST(ReloadWindow, IsTwoTimesOfDay) {
    EXPECT_EQ(reloadWindowFrom("02:00-04:30"), (ReloadWindow{hours(2), minutes(270)}));
    for (const char* wrong : {"", "2:00-4:00", "02:00", "02:00-24:00", "02:60-04:00", "02:00-02:00",
                              "02:00 04:00", "02.00-04.00", "-2:00-04:00", "02:00-04:000"})
        EXPECT_EQ(reloadWindowFrom(wrong), std::nullopt) << wrong;
}

TEST(ReloadWindow, IsWaitedForAndOpenFromItsFirstSecondToItsLast) {
    EXPECT_EQ(may("02:00-04:00", midnight), midnight + hours(2));
    for (const seconds in : {seconds(hours(2)), seconds(hours(3)), hours(4) - seconds(1)})
        EXPECT_EQ(may("02:00-04:00", midnight + in), midnight + in);
    EXPECT_EQ(may("02:00-04:00", midnight + hours(4)), midnight + days(1) + hours(2));
}

TEST(ReloadWindow, MayGoOverMidnight) {
    EXPECT_EQ(may("23:00-01:00", midnight + minutes(59)), midnight + minutes(59));
    EXPECT_EQ(may("23:00-01:00", midnight + hours(1)), midnight + hours(23));
    EXPECT_EQ(may("23:00-01:00", midnight + hours(23)), midnight + hours(23));
}

TEST(ReloadWindow, IsLocalTime) {
    EXPECT_EQ(may("02:00-04:00", midnight, hours(2)), midnight);
    EXPECT_EQ(may("02:00-04:00", midnight + hours(3), hours(2)), midnight + days(1));
    EXPECT_EQ(may("02:00-04:00", midnight, -hours(5)), midnight + hours(7));
}

TEST(ReloadWindow, IsNotWaitedForByWhoHasNothingThatLastsUntilThen) {
    const ReloadWindow window = reloadWindowFrom("02:00-04:00").value();
    const auto with = [&](const std::optional<CertificateSummary>& served) {
        return mayBringAt(window, served, midnight, utc);
    };
    EXPECT_EQ(with(std::nullopt), midnight);
    EXPECT_EQ(with(until(midnight)), midnight) << "expired";
    EXPECT_EQ(with(until(midnight + hours(2))), midnight) << "ends as it opens";
    EXPECT_EQ(with(until(midnight + hours(2) + seconds(1))), midnight + hours(2));
    CertificateSummary early = until(midnight + days(30));
    early.notBefore = midnight + seconds(1);
    EXPECT_EQ(with(early), midnight) << "not valid yet";
}

}  // namespace
}  // namespace certmgr
