#include "hal/systemd/systemd_port_opener.h"

#include <chrono>

#include "hal/error.h"
#include "hal/systemd/unit_job.h"

namespace hal {
namespace {

constexpr std::chrono::seconds patience{10};

// A stop of certmgr.service may be under way, which the unit is bound to: a job that pulls that in would undo
// it.
constexpr const char* withoutOthers = "ignore-requirements";

void change(std::uint16_t port, const char* method, const std::string& action,
            const std::string& failedCode) {
    UnitJob job{"certmgr-port@" + std::to_string(port) + ".service",
                method,
                action,
                failedCode,
                "port-timeout",
                patience,
                withoutOthers};
    try {
        runUnitJob(job, std::chrono::steady_clock::now() + patience);
    } catch (Error& error) {
        error.within("port " + std::to_string(port) + " in the packet filter");
        throw;
    }
}

}  // namespace

// systemd's word for: reload it where it runs, else start it.
void SystemdPortOpener::open(std::uint16_t port) {
    change(port, "ReloadOrRestartUnit", "start", "port-not-opened");
}

void SystemdPortOpener::close(std::uint16_t port) {
    change(port, "StopUnit", "stop", "port-not-closed");
}

}  // namespace hal
