// A system bus of the test's own: a real dbus-daemon with the system bus's default-deny rules, and a real
// polkitd on it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <systemd/sd-bus.h>

#include "hal/handle.h"
#include "tests/support/child_process.h"

namespace testing_support {

using BusConnection = hal::Handle<sd_bus, sd_bus_flush_close_unref>;

class PrivateBus {
  public:
    // With the *.conf of each of `policies` (…/dbus-1/system.d); root may own any of `rootOwns` besides.
    PrivateBus(const std::vector<std::filesystem::path>& policies, const std::vector<std::string>& rootOwns);

    const std::string& address() const { return address_; }
    // A connection whose peer is `uid`: only the thread that connects takes that identity on.
    BusConnection connect(uid_t uid = 0) const;
    bool hasOwner(const std::string& name) const;
    // For programs: DBUS_SYSTEM_BUS_ADDRESS.
    ChildProcess::Options options(uid_t uid = 0) const;

  private:
    TemporaryDirectory folder_;
    std::string address_;
    std::unique_ptr<ChildProcess> daemon_;
};

// polkitd with the actions of one directory and nothing but the given rules, by bind mounts of its own.
class Polkit {
  public:
    Polkit(const PrivateBus& bus, const std::filesystem::path& actions, const std::string& rules);
    ~Polkit() { thaw(); }  // a stopped process would not end
    Polkit(const Polkit&) = delete;
    Polkit& operator=(const Polkit&) = delete;

    void freeze() const { daemon_->signal(SIGSTOP); }
    void thaw() const { daemon_->signal(SIGCONT); }
    void kill();

  private:
    TemporaryDirectory folder_;
    std::unique_ptr<ChildProcess> daemon_;
};

}  // namespace testing_support
