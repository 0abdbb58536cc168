// certmgrctl status: what a monitor (Nagios, Icinga) asks a box.
#pragma once

#include <string>

#include "certmgr/ctl/client.h"

namespace certmgr::ctl {

// The statuses of a monitoring plugin (Monitoring Plugins Development Guidelines); they are exit statuses
// too.
enum class Health { ok = 0, warning = 1, critical = 2, unknown = 3 };

struct Status {
    Health health = Health::unknown;
    std::string text;  // a line for the monitor, with performance data, then one for each alarm
    Json json;
};

Status statusOf(const ObjectMap& alarms, const ObjectMap& certificates);
Status unknownStatus(const std::string& sentence);

}  // namespace certmgr::ctl
