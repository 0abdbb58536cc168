#include "certmgr/engine/schedule.h"

namespace certmgr::engine {

void Schedule::set(const std::string& name, std::optional<TimePoint> due) {
    if (const auto found = byName_.find(name); found != byName_.end()) {
        byTime_.erase(found);
        byName_.erase(found);
    }
    if (!due) return;
    byTime_.insert(byName_.emplace(name, *due).first);
}

std::optional<TimePoint> Schedule::next() const {
    if (byTime_.empty()) return std::nullopt;
    return (*byTime_.begin())->second;
}

std::vector<std::string> Schedule::take(TimePoint now) {
    std::vector<std::string> due;
    while (!byTime_.empty() && (*byTime_.begin())->second <= now) {
        due.push_back((*byTime_.begin())->first);
        set(due.back(), std::nullopt);
    }
    return due;
}

}  // namespace certmgr::engine
