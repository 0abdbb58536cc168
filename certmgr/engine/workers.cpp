#include "certmgr/engine/workers.h"

#include <chrono>

#include <malloc.h>

namespace certmgr::engine {
namespace {
constexpr std::chrono::seconds idleLimit{10};
}

Workers::Workers(std::size_t most) : most_(most) {}

Workers::~Workers() {
    std::map<std::thread::id, std::thread> rest;
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
        waiting_.clear();
        rest.swap(running_);
        wakeup_.notify_all();
    }
    for (auto& [id, thread] : rest) thread.join();
    joinEnded();
}

void Workers::run(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    waiting_.push_back(std::move(work));
    if (idle_ >= waiting_.size() || running_.size() == most_) {
        wakeup_.notify_one();
    } else {
        startThread();
    }
}

void Workers::startThread() {
    joinEnded();
    try {
        std::thread thread([this] { loop(); });
        running_.emplace(thread.get_id(), std::move(thread));
    } catch (const std::system_error&) {  // too many for the system: those that run take the work in turn
        if (running_.empty()) throw;
        wakeup_.notify_one();
    }
}

// They take no lock any more.
void Workers::joinEnded() {
    for (std::thread& thread : ended_) thread.join();
    ended_.clear();
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
    if (running_.size() == 1) ::malloc_trim(0);
    // Joined by the next that is started or by the destructor: what OpenSSL keeps for a thread is freed after
    // this.
    if (auto own = running_.extract(std::this_thread::get_id())) ended_.push_back(std::move(own.mapped()));
}

}  // namespace certmgr::engine
