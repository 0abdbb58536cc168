// Runs one program of the administrator's choice, so that it cannot hang, flood or inherit anything.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace hal {

struct CommandResult {
    enum class End { exited, signalled, timedOut, notStarted };
    End end = End::exited;
    int code = 0;        // exit status, signal number or errno
    std::string output;  // stdout and stderr together, the last 4 KiB; other than ASCII text replaced by "?"
    bool succeeded() const { return end == End::exited && code == 0; }
};

// No shell. argv[0] is a path or is looked up in the system's directories. Standard input is empty, the
// environment is PATH, LC_ALL=C and `variables` ("NAME=value") only, no descriptor is inherited. At the
// deadline the command and all it started in its process group are killed.
//
// Threads: any.
CommandResult runCommand(const std::vector<std::string>& argv, std::chrono::steady_clock::time_point deadline,
                         std::vector<std::string> variables = {});

// "nginx -t ended with status 1: …", for people.
std::string describe(const std::vector<std::string>& argv, const CommandResult& result);

}  // namespace hal
