// What became of a program that was run, and who runs it.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace hal {

struct CommandResult {
    enum class End { exited, signalled, timedOut, stopped, notStarted };
    End end = End::exited;
    int code = 0;        // exit status, signal number or errno
    std::string output;  // stdout and stderr together, the last 4 KiB; other than ASCII text replaced by "?"
    bool succeeded() const { return end == End::exited && code == 0; }
};

// hal::runCommand() of hal/systemd/command.h, whose contract it has; the tests have fakes.
using CommandRunner = std::function<CommandResult(
    const std::vector<std::string>& argv, std::chrono::steady_clock::time_point deadline,
    std::vector<std::string> variables, std::string_view input, std::stop_token stop)>;

// "nginx -t ended with status 1: …", for people.
std::string describe(const std::vector<std::string>& argv, const CommandResult& result);

}  // namespace hal
