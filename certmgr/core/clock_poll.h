// How often a clock that is not trusted is asked again: trust may come without a jump of the clock.
#pragma once

#include "certmgr/core/clock.h"

namespace certmgr {

inline constexpr seconds untrustedClockPoll{60};

}  // namespace certmgr
