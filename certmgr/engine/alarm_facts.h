// From the views to what alarms are judged by.
#pragma once

#include "certmgr/authority/authority.h"
#include "certmgr/core/alarm_verdict.h"
#include "certmgr/engine/views.h"

namespace certmgr::engine {

AlarmFacts alarmFacts(const Views& views, const authority::AuthoritySettings& settings,
                      const ClockTrust& clock, seconds distrustedFor);

}  // namespace certmgr::engine
