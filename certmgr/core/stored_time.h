// Times that something waits for, as they were stored.
#pragma once

#include "certmgr/core/clock.h"

namespace certmgr {

// Nothing waits for longer than `longest`, so a time beyond was stored by a clock that was wrong: it is due
// now. The longest wait from now would never be over, since it moves along with the clock.
inline TimePoint believedTime(TimePoint stored, TimePoint now, seconds longest) {
    return stored > now + longest ? now : stored;
}

}  // namespace certmgr
