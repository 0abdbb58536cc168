#include "certmgr/core/renewal_info.h"

#include <algorithm>

#include "certmgr/core/stored_time.h"

namespace certmgr {
namespace {

constexpr seconds shortestPause = std::chrono::minutes(1);
constexpr seconds longestPause = std::chrono::hours(24);
constexpr seconds usualPause = std::chrono::hours(6);
constexpr seconds pauseOfSilentCa = std::chrono::hours(24 * 7);

}  // namespace

TimePoint chooseIn(const RenewalWindow& window, double random) {
    const auto length = static_cast<double>((window.end - window.start).count());
    return window.start + seconds(static_cast<seconds::rep>(length * random));
}

TimePoint nextQuery(TimePoint now, std::optional<seconds> retryAfter) {
    return now + (retryAfter ? std::clamp(*retryAfter, shortestPause, longestPause) : usualPause);
}

TimePoint nextQueryOfSilentCa(TimePoint now) {
    return now + pauseOfSilentCa;
}

TimePoint nextQueryAfterFailure(int failures, TimePoint now) {
    constexpr int doublings = 9;  // more than six hours
    return now + std::min(usualPause, shortestPause * (1 << std::clamp(failures - 1, 0, doublings)));
}

TimePoint believedQuery(TimePoint stored, TimePoint now) {
    return believedTime(stored, now, pauseOfSilentCa);  // the longest of them
}

}  // namespace certmgr
