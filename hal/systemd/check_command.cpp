#include "hal/systemd/check_command.h"

#include "hal/error.h"
#include "hal/systemd/command.h"

namespace hal {

void runCheckCommand(const ServiceHandle& service, std::chrono::steady_clock::time_point deadline) {
    if (service.checkCommand.empty()) return;
    const CommandResult result = runCommand(service.checkCommand, deadline);
    if (result.succeeded()) return;
    const std::string sentence =
        "the check before the reload failed: " + describe(service.checkCommand, result);
    if (result.end == CommandResult::End::timedOut)
        throw Error(ErrorKind::transient, "reload-timeout", sentence);
    throw Error(ErrorKind::misconfigured, "check-failed", sentence);
}

}  // namespace hal
