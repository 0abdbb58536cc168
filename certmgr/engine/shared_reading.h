// What many may ask for at once: one reading at a time, and one reading is for all who wait.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "certmgr/engine/lanes.h"

namespace certmgr::engine {

// `Answer` has a `failure`. Main thread only; outlives the lanes that it runs in.
template <class Answer>
class SharedReading {
  public:
    using Reply = std::function<void(const Answer&)>;

    // `what` is for people: "the budget at the CAs". At most so many wait.
    SharedReading(std::string lane, std::string what, std::size_t most)
        : lane_(std::move(lane)), what_(std::move(what)), most_(most) {}

    // Throws Error(transient, "busy") where too many wait already. `read` runs on one of `workers`, unless a
    // reading is under way, which is waited for; `reply` is called later, with what `read` threw, if it did.
    void ask(Lanes& lanes, Workers& workers, Reply reply, std::function<void(Answer&)> read) {
        if (waiting_.size() >= most_)
            throw Error(ErrorKind::transient, "busy", "too many ask for " + what_ + "; ask again");
        waiting_.push_back(std::move(reply));
        if (lanes.busy(lane_)) return;
        auto found = std::make_shared<Answer>();
        lanes.run(
            lane_, workers, [found, read = std::move(read)](std::stop_token) { read(*found); },
            [this, found](const auto& failure) {
                found->failure = failure;
                for (const Reply& each : std::exchange(waiting_, {})) each(*found);
            });
    }
    // From now on nobody else may ask.
    void stop() { most_ = 0; }

  private:
    const std::string lane_;
    const std::string what_;
    std::size_t most_;
    std::vector<Reply> waiting_;
};

}  // namespace certmgr::engine
