#include "certmgr/engine/workers.h"

#include <chrono>

#include <malloc.h>

namespace certmgr::engine {
namespace {
constexpr std::chrono::seconds idleLimit{10};
}

Workers::Workers(std::size_t most) : most_(most) {}

Workers::~Workers() {
    std::unique_lock lock(mutex_);
    closing_ = true;
    waiting_.clear();
    wakeup_.notify_all();
    left_.wait(lock, [this] { return threads_ == 0; });
}

void Workers::run(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    waiting_.push_back(std::move(work));
    if (idle_ >= waiting_.size() || threads_ == most_) {
        wakeup_.notify_one();
    } else {
        startThread();
    }
}

void Workers::startThread() {
    try {
        std::thread([this] { loop(); }).detach();  // counted in threads_, which the destructor waits for
        ++threads_;
    } catch (const std::system_error&) {  // too many for the system: those that run take the work in turn
        if (threads_ == 0) throw;
        wakeup_.notify_one();
    }
}

void Workers::loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        const bool woken =
            wakeup_.wait_for(lock, idleLimit, [this] { return closing_ || !waiting_.empty(); });
        --idle_;
        if (!woken || waiting_.empty()) break;
        const std::function<void()> work = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        work();
        lock.lock();
    }
    // What the work has freed goes back to the kernel: it may have been the last for weeks. Not sooner: the
    // next piece of work would fetch every page again.
    if (threads_ == 1) ::malloc_trim(0);
    --threads_;
    left_.notify_all();  // with the lock held: the destructor may free this object as soon as it is free
}

}  // namespace certmgr::engine
