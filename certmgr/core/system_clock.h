// The clock of the box.
#pragma once

#include "certmgr/core/clock.h"

namespace certmgr {

// What is known of a clock, and the verdict on it. Pure.
struct ClockFacts {
    TimePoint now;
    TimePoint buildDate;
    TimePoint lastSeen;         // the latest time that was believed; the epoch: none yet
    bool synchronised = false;  // the kernel says so (adjtimex)
    bool synchronisationRequired = false;
};
// A synchronised clock is believed before the last time seen: else one visit to the future would lock the box
// until then.
ClockTrust judgeClock(const ClockFacts& facts);

class SystemClock final : public Clock {
  public:
    // `lastSeen`: what the caller stored in the run before, the epoch where there was none.
    SystemClock(TimePoint lastSeen, bool synchronisationRequired);

    TimePoint now() const override;
    std::chrono::milliseconds sinceBoot() const override;
    ClockTrust trust() const override;
    seconds utcOffset(TimePoint time) const override;

  private:
    const TimePoint lastSeen_;
    const bool synchronisationRequired_;
};

}  // namespace certmgr
