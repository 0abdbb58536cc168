// bus::Service with a fake engine, on a private bus with a real polkitd, in a thread of the test.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <systemd/sd-event.h>

#include "certmgr/bus/service.h"
#include "tests/support/fake_commands.h"
#include "tests/support/private_bus.h"

namespace certmgr::bus {

inline constexpr uid_t nobody = 65534;
inline constexpr uid_t games = 5;  // in the group "games", which stands for certmgr-admin here
inline constexpr uid_t daemonUser = 1;

class BusHost {
  public:
    BusHost();
    ~BusHost();

    // Runs on the thread of the bus and returns when it has run.
    void run(const std::function<void(testing_support::FakeCommands&)>& work);
    // Ends the service, as if certmgrd had stopped.
    void stop();

    testing_support::PrivateBus bus;
    testing_support::Polkit polkit;

  private:
    void serve(const std::function<void()>& ready);
    void runPosted();

    testing_support::FakeCommands commands_;
    hal::UniqueFd wake_;
    std::mutex mutex_;
    std::deque<std::function<void()>> posted_;
    bool stopping_ = false;
    std::thread thread_;
};

// Two certificates, "gw.example" and "used.example", the service "web-ui", a root and an issuing authority.
void fill(testing_support::FakeCommands& commands);

engine::AlarmView sampleAlarm();  // of "gw.example"; shown by those who put it

// An answer: the error's name, or "" and the message.
struct Answer {
    std::string error;
    std::string text;
    Message message;
};
Answer call(sd_bus* bus, const std::string& path, const std::string& interface, const std::string& member,
            const char* types = nullptr, ...);

}  // namespace certmgr::bus
