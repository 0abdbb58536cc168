// One job of systemd, asked for over the system bus (DBUS_SYSTEM_BUS_ADDRESS where that is set).
#pragma once

#include <chrono>
#include <string>

namespace hal {

struct UnitJob {
    std::string unit;
    const char* method;  // of org.freedesktop.systemd1.Manager, with the arguments of ReloadUnit
    std::string action;  // for people: "reload", "start"
    std::string failedCode;
    std::string timeoutCode;
    std::chrono::milliseconds timeout;  // for people; the deadline counts
    const char* mode = "replace";
    // A reload of what does not run, but is about to start, waits for that start. At boot that start waits
    // for certmgrd to be ready, which it is when it has brought the first certificates to all services.
    bool onlyIfRunning = false;
};

// Returns when the job is done; each has a connection of its own. The caller needs polkit's
// org.freedesktop.systemd1.manage-units for the unit. Throws Error with failedCode (misconfigured),
// timeoutCode (transient), "service-inactive" (transient), "unit-not-found", "access-denied" (misconfigured)
// or "service-manager-unreachable" (transient).
void runUnitJob(const UnitJob& job, std::chrono::steady_clock::time_point deadline);

}  // namespace hal
