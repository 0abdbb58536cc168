// The one way back from the workers: closures that run on the main thread, in the order in which they were
// posted.
#pragma once

#include <deque>
#include <functional>
#include <mutex>

#include "hal/handle.h"

namespace certmgr::engine {

class MainQueue {
  public:
    MainQueue();

    void post(std::function<void()> work);  // any thread; never blocks for long
    // Main thread. Runs what is there, and what that posts as well.
    void drain();
    // Readable while something waits: for poll(2) or sd-event.
    int fd() const noexcept { return wakeup_.get(); }

  private:
    hal::UniqueFd wakeup_;
    std::mutex mutex_;
    std::deque<std::function<void()>> work_;
};

}  // namespace certmgr::engine
