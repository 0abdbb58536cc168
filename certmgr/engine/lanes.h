// Keeps work on the same thing apart: at most one piece of work runs in a lane at a time. Main thread only.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "certmgr/core/error.h"
#include "certmgr/engine/main_queue.h"
#include "certmgr/engine/workers.h"

namespace certmgr::engine {

// A lane has a name ("issue:gw.example", "order:gw.example", "deploy:web"). Asking for a lane that is busy
// makes its work run once more afterwards, however often it was asked: whatever happened meanwhile is seen by
// that second run.
class Lanes {
  public:
    using Work = std::function<void(std::stop_token)>;
    using After = std::function<void(const std::optional<Error>& failure)>;

    explicit Lanes(MainQueue& queue) : queue_(queue) {}

    // `work` runs on one of `workers`; `after` then runs on the main thread, with the lane free again and
    // with what `work` threw, if it did: anything but an Error as an internal one.
    void run(const std::string& lane, Workers& workers, Work work, After after);

    bool busy(const std::string& lane) const { return lanes_.contains(lane); }
    bool idle() const { return lanes_.empty(); }
    // No lane is busy whose name begins otherwise.
    bool onlyBusyWith(std::initializer_list<std::string_view> prefixes) const;

    // Asks the work that runs in the lane, and drops the run that waits behind it.
    void cancel(const std::string& lane);
    void cancelAll();

  private:
    struct Lane {
        std::stop_source stop;
        std::function<void()> next;  // empty: nothing waits
    };
    void finished(const std::string& lane, const After& after, const std::optional<Error>& failure);

    MainQueue& queue_;
    std::map<std::string, Lane> lanes_;  // the busy ones
};

}  // namespace certmgr::engine
