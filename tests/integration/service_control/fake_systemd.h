// org.freedesktop.systemd1 on a private dbus-daemon, as far as a reload goes; answers as systemd 252 does.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <systemd/sd-bus.h>

#include "hal/handle.h"
#include "tests/support/child_process.h"

namespace testing_support {

// Lets everybody do everything: what is tested is the answers, not the rights.
class UnguardedBus {
  public:
    UnguardedBus();  // its address becomes DBUS_SYSTEM_BUS_ADDRESS
    ~UnguardedBus();
    UnguardedBus(const UnguardedBus&) = delete;
    UnguardedBus& operator=(const UnguardedBus&) = delete;
    void stop() { daemon_->signal(SIGKILL); }

  private:
    TemporaryDirectory folder_;
    std::unique_ptr<ChildProcess> daemon_;
};

class FakeSystemd {
  public:
    enum class Behaviour {
        endWithResult,       // the job ends with `result`; that is signalled before the call is answered
        refuse,              // with the D-Bus error of the name `result`
        neverEnd,            // the job is made and never ends
        vanishBeforeAnswer,  // leaves the bus when it is asked
        vanishAfterAnswer,   // leaves the bus while the job runs
    };
    FakeSystemd(Behaviour behaviour, std::string result, std::string activeState = "active",
                std::string loadState = "loaded");

    // "UNIT MODE" of the last call for a job, and its method; to be read when wasAsked() or the call is over.
    std::string asked() const { return asked_; }
    std::string method() const { return method_; }
    bool wasAsked() const { return wasAsked_; }

  private:
    using Bus = hal::Handle<sd_bus, sd_bus_flush_close_unref>;
    void serve(const std::stop_token& stop);
    bool answer(sd_bus_message& call);  // false: leave the bus

    Behaviour behaviour_;
    std::string result_;
    const std::string activeState_;
    const std::string loadState_;
    std::string asked_;
    std::string method_;
    std::atomic<bool> wasAsked_ = false;
    Bus bus_;
    std::jthread thread_;
};

}  // namespace testing_support
