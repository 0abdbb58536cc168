// Wall time together with the question whether it may be believed.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace certmgr {

using TimePoint = std::chrono::sys_seconds;  // UTC; certificates know whole seconds only
using std::chrono::seconds;

struct ClockTrust {
    bool trusted = false;
    std::string reason;  // a sentence, what was found and what to do; empty when trusted
};

// Implementations: SystemClock and the tests' ManualClock. Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;
    // Monotonic, runs on in suspend (CLOCK_BOOTTIME).
    virtual std::chrono::milliseconds sinceBoot() const = 0;
    // Untrusted: before the build date, or before the last time that an earlier run believed, or not
    // synchronised where the settings ask for that. On an untrusted clock nothing is judged expired and
    // nothing is purged.
    virtual ClockTrust trust() const = 0;
    // What local time is ahead of UTC at `time`, as the box has it set.
    virtual seconds utcOffset(TimePoint time) const = 0;
};

// Absent: it is not trusted.
inline std::optional<TimePoint> trustedTime(const Clock& clock) {
    return clock.trust().trusted ? std::optional(clock.now()) : std::nullopt;
}

// "2026-11-22T10:00:00Z" (RFC 3339), for people and JSON alike.
std::string formatTime(TimePoint time);

}  // namespace certmgr
