#include "certmgr/engine/lanes.h"

#include <algorithm>

namespace certmgr::engine {

void Lanes::run(const std::string& lane, Workers& workers, Work work, std::function<void()> after) {
    if (const auto found = lanes_.find(lane); found != lanes_.end()) {
        found->second.next = [this, lane, &workers, work = std::move(work), after = std::move(after)] {
            run(lane, workers, work, after);
        };
        return;
    }
    const std::stop_token stop = lanes_[lane].stop.get_token();
    workers.run([this, lane, stop, work = std::move(work), after = std::move(after)] {
        work(stop);
        queue_.post([this, lane, after] { finished(lane, after); });
    });
}

void Lanes::finished(const std::string& lane, const std::function<void()>& after) {
    const std::function<void()> next = std::move(lanes_.at(lane).next);
    lanes_.erase(lane);
    if (next) next();
    after();
}

bool Lanes::onlyBusyWith(const std::string& prefix) const {
    return std::all_of(lanes_.begin(), lanes_.end(),
                       [&](const auto& lane) { return lane.first.starts_with(prefix); });
}

void Lanes::cancel(const std::string& lane) {
    const auto found = lanes_.find(lane);
    if (found == lanes_.end()) return;
    found->second.next = nullptr;
    found->second.stop.request_stop();
}

void Lanes::cancelAll() {
    for (auto& [name, lane] : lanes_) {
        lane.next = nullptr;
        lane.stop.request_stop();
    }
}

}  // namespace certmgr::engine
