// Hands a result over by a descriptor: what must not stand in a message of the bus.
#pragma once

#include <string_view>

#include "hal/handle.h"

namespace certmgr::engine {

// Error(rejected, "bad-output"): neither file nor pipe, or a pipe that nobody reads for ten seconds.
void writeOutput(const hal::UniqueFd& fd, std::string_view content);

}  // namespace certmgr::engine
