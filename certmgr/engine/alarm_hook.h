// Where alarms go besides the journal and the bus.
#pragma once

#include <vector>

#include "certmgr/core/alarm.h"

namespace certmgr::engine {

// Implementations: the daemon's, which runs a program of the administrator's choice, and the tests'. Called
// on a worker of its own, with what came together, the oldest first. What it throws, an Error, is logged, and
// the same is not handed over again; after a crash while it runs it is.
class AlarmHook {
  public:
    virtual ~AlarmHook() = default;
    virtual void tell(const std::vector<AlarmNotice>& notices) = 0;
};

}  // namespace certmgr::engine
