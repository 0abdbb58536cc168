#include "certmgr/core/system_clock.h"

#include <ctime>

#include <sys/timex.h>

namespace certmgr {
namespace {

constexpr TimePoint buildDate{seconds{CERTMGR_BUILD_TIME}};

// A clock that is being disciplined may be set back a little without being wrong.
constexpr std::chrono::minutes tolerance{5};

// A kernel that may not be asked (a sandbox that forbids the call) has not said yes.
bool kernelIsSynchronised() {
    timex read{};  // modes 0: sets nothing
    const int state = ::adjtimex(&read);
    return state >= 0 && state != TIME_ERROR && (read.status & STA_UNSYNC) == 0;
}

}  // namespace

ClockTrust judgeClock(const ClockFacts& facts) {
    const std::string stands = "the clock stands at " + formatTime(facts.now);
    if (facts.now < facts.buildDate)
        return {false,
                stands + ", before the build date " + formatTime(facts.buildDate).substr(0, 10) + "; set it"};
    if (facts.synchronised) return {true, ""};
    if (facts.now + tolerance < facts.lastSeen)
        return {false, stands + ", before the last time seen, " + formatTime(facts.lastSeen) +
                           "; synchronise it (NTP)"};
    if (facts.synchronisationRequired)
        return {
            false,
            "the clock is not synchronised, which the settings ask for; wait for NTP or see why it fails"};
    return {true, ""};
}

SystemClock::SystemClock(TimePoint lastSeen, bool synchronisationRequired)
    : lastSeen_(lastSeen), synchronisationRequired_(synchronisationRequired) {}

TimePoint SystemClock::now() const {
    return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

std::chrono::milliseconds SystemClock::sinceBoot() const {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return std::chrono::duration_cast<std::chrono::milliseconds>(seconds(time.tv_sec) +
                                                                 std::chrono::nanoseconds(time.tv_nsec));
}

ClockTrust SystemClock::trust() const {
    return judgeClock({now(), buildDate, lastSeen_, kernelIsSynchronised(), synchronisationRequired_});
}

seconds SystemClock::utcOffset(TimePoint time) const {
    ::tzset();  // localtime_r reads the zone once, and it may have been set since
    const std::time_t since = time.time_since_epoch().count();
    std::tm local{};
    return seconds(::localtime_r(&since, &local) ? local.tm_gmtoff : 0);
}

}  // namespace certmgr
