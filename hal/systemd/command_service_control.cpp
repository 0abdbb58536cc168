#include "hal/systemd/command_service_control.h"

#include "hal/error.h"
#include "hal/systemd/check_command.h"
#include "hal/systemd/command.h"

namespace hal {

void CommandServiceControl::reload(const ServiceHandle& service) {
    const auto deadline = std::chrono::steady_clock::now() + service.timeout;
    runCheckCommand(service, deadline);
    if (service.reloadCommand.empty() && !service.unit.empty())
        throw Error(
            ErrorKind::misconfigured, "reload-failed",
            service.unit +
                " cannot be reloaded: this box runs without systemd; give its profile a reload command");
    if (service.reloadCommand.empty()) return;
    const CommandResult result = runCommand(service.reloadCommand, deadline);
    if (result.succeeded()) return;
    const std::string sentence = "the reload failed: " + describe(service.reloadCommand, result);
    if (result.end == CommandResult::End::timedOut)
        throw Error(ErrorKind::transient, "reload-timeout", sentence);
    throw Error(ErrorKind::misconfigured, "reload-failed", sentence);
}

}  // namespace hal
