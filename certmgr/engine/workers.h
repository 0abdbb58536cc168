// A pool of threads for work that blocks. Threads are made when they are needed and leave when they were idle
// for a while: a box that has nothing to do keeps no stacks and no arenas.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace certmgr::engine {

class Workers {
  public:
    explicit Workers(std::size_t most);
    ~Workers();  // takes no new work, drops what has not begun, waits for what runs
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    // In the order of the calls, as far as there are threads. `work` must not throw.
    void run(std::function<void()> work);

  private:
    void startThread();
    void joinEnded();
    void loop();

    const std::size_t most_;
    std::mutex mutex_;
    std::condition_variable wakeup_;
    std::deque<std::function<void()>> waiting_;
    std::map<std::thread::id, std::thread> running_;
    std::vector<std::thread> ended_;  // and not joined yet
    std::size_t idle_ = 0;
    bool closing_ = false;
};

}  // namespace certmgr::engine
