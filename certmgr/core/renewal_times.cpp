// The times of decision.h: when a certificate is due, and when a CA is asked again.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "certmgr/core/decision.h"
#include "certmgr/core/stored_time.h"

namespace certmgr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr seconds shortLived = hours(24 * 10);
constexpr seconds longestLastStretch = hours(24);
constexpr seconds longestRetryAfter = hours(24 * 7);
constexpr int attemptsAtOneCa = 2;

seconds lifetime(const CertificateSummary& leaf) {
    return leaf.notAfter - leaf.notBefore;
}

// [0,1), the same for the same certificate; 0 where there is no fingerprint.
double fraction(const std::string& sha256) {
    std::uint32_t value = 0;
    std::from_chars(sha256.data(), sha256.data() + std::min<std::size_t>(sha256.size(), 8), value, 16);
    return value / 4294967296.0;
}

seconds scaled(seconds time, double factor) {
    return seconds(static_cast<seconds::rep>(static_cast<double>(time.count()) * factor));
}

seconds backoff(int failures) {
    constexpr std::array<seconds, 3> steps{minutes(1), minutes(10), minutes(100)};
    const auto step = static_cast<std::size_t>(std::max(failures, 1) - 1);
    return step < steps.size() ? steps[step] : hours(24);
}

}  // namespace

std::size_t caInTurn(int failures, std::size_t cas) {
    return static_cast<std::size_t>(std::max(failures, 0) / attemptsAtOneCa) % std::max<std::size_t>(cas, 1);
}

int endOfTurn(int failures) {
    return (failures / attemptsAtOneCa + 1) * attemptsAtOneCa;
}

bool isShortLived(const CertificateSummary& leaf) {
    return lifetime(leaf) < shortLived;
}

TimePoint lastStretch(const CertificateSummary& leaf) {
    return leaf.notAfter - std::min(lifetime(leaf) / 40, longestLastStretch);
}

TimePoint renewalTime(const CertificateSummary& leaf) {
    const seconds whole = lifetime(leaf);
    const seconds left = isShortLived(leaf) ? whole / 2 : whole / 3;
    return leaf.notAfter - left - scaled(whole / 50, fraction(leaf.sha256));
}

TimePoint latestRenewal(const CertificateSummary& leaf) {
    return leaf.notAfter - lifetime(leaf) / (isShortLived(leaf) ? 5 : 20);
}

TimePoint acmeRenewalTime(const CertificateSummary& leaf, std::optional<TimePoint> renewAt) {
    return std::min(renewAt.value_or(renewalTime(leaf)), latestRenewal(leaf));
}

TimePoint nextAttempt(int failures, TimePoint now, std::optional<seconds> shortLivedRemaining, double jitter,
                      std::optional<TimePoint> notBefore) {
    constexpr seconds leastOfShortLived = minutes(15);
    seconds delay = backoff(failures);
    if (shortLivedRemaining) delay = std::min(delay, std::max(*shortLivedRemaining / 8, leastOfShortLived));
    TimePoint next = now + delay + scaled(delay / 4, jitter);
    if (notBefore) next = std::max(next, std::min(*notBefore, now + longestRetryAfter));
    const bool roundMinute = next.time_since_epoch() % minutes(1) == seconds(0);
    return roundMinute ? next + seconds(1) + scaled(seconds(58), jitter) : next;
}

std::optional<TimePoint> believedAttempt(std::optional<TimePoint> stored,
                                         std::optional<TimePoint> lastAttempt, TimePoint now) {
    constexpr seconds longestWait = longestRetryAfter + minutes(1);  // never on a round minute
    if (!stored || (lastAttempt && *lastAttempt > now)) return std::nullopt;
    return believedTime(*stored, now, longestWait);
}

}  // namespace certmgr
