#include "certmgr/engine/lanes.h"

#include <algorithm>

namespace certmgr::engine {
namespace {

std::optional<Error> failureOf(const Lanes::Work& work, const std::stop_token& stop) noexcept {
    try {
        work(stop);
        return std::nullopt;
    } catch (const Error& error) {
        return error;
    } catch (const std::exception& error) {
        return Error(ErrorKind::internal, "defect", std::string("a defect of certmgr: ") + error.what());
    }
}

}  // namespace

void Lanes::run(const std::string& lane, Workers& workers, Work work, After after) {
    if (const auto found = lanes_.find(lane); found != lanes_.end()) {
        found->second.next = [this, lane, &workers, work = std::move(work), after = std::move(after)] {
            run(lane, workers, work, after);
        };
        return;
    }
    const std::stop_token stop = lanes_[lane].stop.get_token();
    workers.run([this, lane, stop, work = std::move(work), after = std::move(after)] {
        const std::optional<Error> failure = failureOf(work, stop);
        queue_.post([this, lane, after, failure] { finished(lane, after, failure); });
    });
}

void Lanes::finished(const std::string& lane, const After& after, const std::optional<Error>& failure) {
    const std::function<void()> next = std::move(lanes_.at(lane).next);
    lanes_.erase(lane);
    after(failure);
    if (next) next();
}

bool Lanes::onlyBusyWith(std::initializer_list<std::string_view> prefixes) const {
    return std::ranges::all_of(lanes_, [&](const auto& lane) {
        return std::ranges::any_of(prefixes,
                                   [&](std::string_view prefix) { return lane.first.starts_with(prefix); });
    });
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
