// [[limit]] in a table or file about a CA.
#pragma once

#include <vector>

#include "certmgr/config/table_reader.h"
#include "certmgr/core/rate_budget.h"

namespace certmgr::config {

// Each takes the place of the one of its kind that is in `limits` already. Error(misconfigured,
// "bad-config"), also for one that is said twice.
void readLimits(TableReader& reader, std::vector<RateLimit>& limits);

}  // namespace certmgr::config
