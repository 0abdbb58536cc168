#include "certmgr/engine/schedule.h"

namespace certmgr::engine {

void Schedule::set(const std::string& name, std::optional<TimePoint> due) {
    if (const auto found = byName_.find(name); found != byName_.end()) {
        byTime_.erase({found->second, name});
        byName_.erase(found);
    }
    if (!due) return;
    byName_.emplace(name, *due);
    byTime_.emplace(*due, name);
}

std::optional<TimePoint> Schedule::next() const {
    if (byTime_.empty()) return std::nullopt;
    return byTime_.begin()->first;
}

std::vector<std::string> Schedule::take(TimePoint now) {
    std::vector<std::string> due;
    while (!byTime_.empty() && byTime_.begin()->first <= now) {
        due.push_back(byTime_.begin()->second);
        set(due.back(), std::nullopt);
    }
    return due;
}

}  // namespace certmgr::engine
