// A packet filter that remembers which ports are open, and refuses where it is told to.
#pragma once

#include <mutex>
#include <optional>
#include <set>

#include "hal/error.h"
#include "hal/port_opener.h"

namespace testing_support {

class FakePortOpener : public hal::PortOpener {
  public:
    void open(std::uint16_t port) override {
        const std::lock_guard lock(mutex_);
        ++opened_;
        if (refusal) throw hal::Error(*refusal);
        open_.insert(port);
    }
    void close(std::uint16_t port) override {
        const std::lock_guard lock(mutex_);
        ++closed_;
        if (refusal) throw hal::Error(*refusal);
        open_.erase(port);
    }
    bool isOpen(std::uint16_t port) const {
        const std::lock_guard lock(mutex_);
        return open_.contains(port);
    }
    int opened() const { return opened_; }  // how often it was asked to
    int closed() const { return closed_; }

    std::optional<hal::Error> refusal;

  private:
    mutable std::mutex mutex_;
    std::set<std::uint16_t> open_;
    int opened_ = 0;
    int closed_ = 0;
};

}  // namespace testing_support
