// Runs one program of the administrator's choice, so that it cannot hang, flood or inherit anything.
#pragma once

#include "hal/command.h"

namespace hal {

// No shell. argv[0] is a path or is looked up in the system's directories. Standard input is `input`, the
// environment is `variables` ("NAME=value") only, with PATH and LC_ALL=C where they name none; no descriptor
// is inherited. At the deadline, and as soon as a stop is requested, the command and all it started in its
// process group are killed.
//
// Threads: any.
CommandResult runCommand(const std::vector<std::string>& argv, std::chrono::steady_clock::time_point deadline,
                         std::vector<std::string> variables = {}, std::string_view input = {},
                         std::stop_token stop = {});

}  // namespace hal
