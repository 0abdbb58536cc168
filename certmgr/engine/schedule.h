// What is due when. Wall-clock times, one for each name. Main thread only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "certmgr/core/clock.h"

namespace certmgr::engine {

class Schedule {
  public:
    void set(const std::string& name, std::optional<TimePoint> due);  // absent: not due any more
    std::optional<TimePoint> next() const;
    std::vector<std::string> take(TimePoint now);  // all that is due, and forgets it

  private:
    std::map<std::string, TimePoint> byName_;
    std::set<std::pair<TimePoint, std::string>> byTime_;
};

}  // namespace certmgr::engine
