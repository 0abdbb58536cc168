// Asks the box to let a service read its certificates again.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace hal {

// How one service is reloaded; from its profile.
struct ServiceHandle {
    std::string unit;                        // systemd unit, "nginx.service"; empty: none
    std::vector<std::string> checkCommand;   // run before the reload, e.g. {"nginx","-t"}; empty: none
    std::vector<std::string> reloadCommand;  // for boxes without systemd; argv, no shell; empty: none
    std::chrono::milliseconds timeout{30'000};
    // Oneshot unit that brings the files to the service as root; empty: the service reads them where they
    // lie.
    std::string installUnit = {};
};

// Implementations: hal::SystemdServiceControl (StartUnit and ReloadUnit over the bus, waits for the jobs'
// results) and hal::CommandServiceControl (runs the commands). The tests have a fake.
//
// Threads: any, several at once for different services. Blocks until the job or command ended or the timeout
// passed.
class ServiceControl {
  public:
    virtual ~ServiceControl() = default;

    // Starts the install unit, runs the check command, then reloads; what is not there is left out. Returns
    // when the service manager, or the command, reports success. That is no proof that the service took the
    // new files: the caller probes. Throws Error with
    //   "install-failed" (misconfigured)       the install unit failed; the service may have been told
    //   something "check-failed" (misconfigured)         the check command said no; the service was not told
    //   anything "reload-failed" (misconfigured)        the service, or the command, reported failure
    //   "reload-timeout" (transient)           service.timeout passed, check included; what ran was ended
    //   "service-inactive" (transient)         the unit does not run, so there is nothing to reload
    //   "unit-not-found", "access-denied" (misconfigured)
    //   "service-manager-unreachable" (transient)
    // The message carries the unit or argv and the last lines of the output (4 KiB at most, ASCII).
    virtual void reload(const ServiceHandle& service) = 0;
};

}  // namespace hal
