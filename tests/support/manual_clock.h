// A clock that stands until a test moves it.
#pragma once

#include <mutex>

#include "certmgr/core/clock.h"

namespace testing_support {

class ManualClock final : public certmgr::Clock {
  public:
    explicit ManualClock(certmgr::TimePoint start) : now_(start) {}

    certmgr::TimePoint now() const override {
        const std::lock_guard lock(mutex_);
        return now_;
    }
    std::chrono::milliseconds sinceBoot() const override {
        const std::lock_guard lock(mutex_);
        return sinceBoot_;
    }
    certmgr::ClockTrust trust() const override {
        const std::lock_guard lock(mutex_);
        return trust_;
    }

    certmgr::seconds utcOffset(certmgr::TimePoint) const override { return std::chrono::hours(1); }

    void advance(certmgr::seconds time) {
        const std::lock_guard lock(mutex_);
        now_ += time;
        sinceBoot_ += time;
    }
    // Wall time jumps, boot time does not.
    void set(certmgr::TimePoint time) {
        const std::lock_guard lock(mutex_);
        now_ = time;
    }
    void distrust(const std::string& reason) {
        const std::lock_guard lock(mutex_);
        trust_ = {false, reason};
    }
    void trustAgain() {
        const std::lock_guard lock(mutex_);
        trust_ = {true, ""};
    }

  private:
    mutable std::mutex mutex_;
    certmgr::TimePoint now_;
    std::chrono::milliseconds sinceBoot_{0};
    certmgr::ClockTrust trust_{true, ""};
};

}  // namespace testing_support
