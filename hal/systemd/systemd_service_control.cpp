#include "hal/systemd/systemd_service_control.h"

#include "hal/error.h"
#include "hal/systemd/check_command.h"
#include "hal/systemd/unit_job.h"

namespace hal {

using std::chrono::steady_clock;

void SystemdServiceControl::install(const ServiceHandle& service) {
    if (service.installUnit.empty()) return;
    runUnitJob(
        {service.installUnit, "StartUnit", "start", "install-failed", "reload-timeout", service.timeout},
        steady_clock::now() + service.timeout);
}

void SystemdServiceControl::reload(const ServiceHandle& service) {
    const auto deadline = steady_clock::now() + service.timeout;
    install(service);
    runCheckCommand(service, deadline);
    if (service.unit.empty() && !service.reloadCommand.empty())
        throw Error(ErrorKind::misconfigured, "reload-failed",
                    service.reloadCommand.front() +
                        " is not run on a box with systemd; name the unit in the service's profile");
    if (service.unit.empty()) return;
    UnitJob job{service.unit, "ReloadUnit", "reload", "reload-failed", "reload-timeout", service.timeout};
    job.onlyIfRunning = true;
    runUnitJob(job, deadline);
}

}  // namespace hal
