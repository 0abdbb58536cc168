// A value that the first thread fetches while the others wait for it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>

#include "certmgr/acme/waiting.h"

namespace certmgr::acme {

template <class Value>
class SharedValue {
  public:
    explicit SharedValue(std::optional<Value> value = std::nullopt) : value_(std::move(value)) {}

    // `fetch` runs without a lock held. Where it throws, the next of the waiting threads tries.
    template <class Fetch>
    Value get(const std::stop_token& stop, Fetch fetch) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return value_ || !fetching_; })) throwCancelled();
        if (value_) return *value_;
        fetching_ = true;
        lock.unlock();
        std::optional<Value> fetched;
        const auto publish = [&] {
            lock.lock();
            fetching_ = false;
            value_ = fetched;
            changed_.notify_all();
        };
        try {
            fetched = fetch();
        } catch (...) {
            publish();
            throw;
        }
        publish();
        return *fetched;
    }

    // Where it was fetched; waits for nobody.
    std::optional<Value> known() {
        const std::lock_guard lock(mutex_);
        return value_;
    }

    void forget() {
        const std::lock_guard lock(mutex_);
        value_.reset();
    }

  private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<Value> value_;
    bool fetching_ = false;
};

}  // namespace certmgr::acme
