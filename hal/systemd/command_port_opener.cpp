#include "hal/systemd/command_port_opener.h"

#include <chrono>

#include "hal/error.h"
#include "hal/systemd/command.h"

namespace hal {
namespace {

constexpr std::chrono::seconds longestCommand{10};

}  // namespace

void CommandPortOpener::change(const std::string& verb, std::uint16_t port,
                               const std::string& failedCode) const {
    std::vector<std::string> argv = command_;
    argv.insert(argv.end(), {verb, std::to_string(port)});
    const CommandResult result = runCommand(argv, std::chrono::steady_clock::now() + longestCommand);
    if (result.succeeded()) return;
    const std::string sentence =
        "port " + std::to_string(port) + " in the packet filter: " + describe(argv, result);
    if (result.end == CommandResult::End::timedOut)
        throw Error(ErrorKind::transient, "port-timeout", sentence);
    throw Error(ErrorKind::misconfigured, failedCode, sentence);
}

}  // namespace hal
