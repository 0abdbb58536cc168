// What is due when. Wall-clock times, one for each name. Main thread only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "certmgr/core/clock.h"

namespace certmgr::engine {

class Schedule {
  public:
    Schedule() = default;
    Schedule(const Schedule&) = delete;
    Schedule& operator=(const Schedule&) = delete;

    void set(const std::string& name, std::optional<TimePoint> due);  // absent: not due any more
    std::optional<TimePoint> next() const;
    std::vector<std::string> take(TimePoint now);  // all that is due, and forgets it

  private:
    using Entry = std::map<std::string, TimePoint>::const_iterator;
    struct Earlier {
        bool operator()(Entry one, Entry other) const {
            return std::tie(one->second, one->first) < std::tie(other->second, other->first);
        }
    };

    std::map<std::string, TimePoint> byName_;
    std::set<Entry, Earlier> byTime_;
};

}  // namespace certmgr::engine
