// org.freedesktop.systemd1 on a private dbus-daemon, as far as a reload goes; answers as systemd 252 does.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/child_process.h"

namespace testing_support {

class PrivateBus {
  public:
    PrivateBus();  // its address becomes DBUS_SYSTEM_BUS_ADDRESS
    ~PrivateBus();
    PrivateBus(const PrivateBus&) = delete;
    PrivateBus& operator=(const PrivateBus&) = delete;
    void stop() { daemon_->signal(SIGKILL); }

  private:
    TemporaryDirectory folder_;
    std::unique_ptr<ChildProcess> daemon_;
};

class FakeSystemd {
  public:
    enum class Behaviour {
        answerWithResult,        // the job ends with `result`; its signal is sent before the call is answered
        answerWithError,         // the call is refused with the D-Bus error `result`
        neverEnd,                // the job is made and never ends
        leaveTheBus,             // the job is made, then systemd goes
        leaveWithoutAnswer,      // goes when it is asked
        endThePeersConnection,   // the job is made, then the bus dies
    };
    // `bus` is what endThePeersConnection stops.
    FakeSystemd(Behaviour behaviour, std::string result, PrivateBus* bus = nullptr);

    std::string asked() const { return asked_; }  // unit and mode of the ReloadUnit calls; read when the call is over

  private:
    void serve(const std::stop_token& stop);

    Behaviour behaviour_;
    std::string result_;
    PrivateBus* bus_;
    std::string asked_;
    std::jthread thread_;
};

}  // namespace testing_support
