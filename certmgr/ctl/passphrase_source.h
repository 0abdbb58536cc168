// Where a passphrase comes from: never the command line, which every process on the box can read.
#pragma once

#include <optional>

#include "hal/handle.h"

namespace certmgr::ctl {

// A descriptor that can be handed to certmgrd: number `given` of ours, or a sealed memfd with what a person
// typed, twice the same, at the terminal. Failure(usage): neither descriptor nor terminal; Failure(refused):
// empty, or two different ones.
hal::UniqueFd openPassphrase(std::optional<int> given);

// A memfd with nothing in it, where none is needed.
hal::UniqueFd emptyInput();

}  // namespace certmgr::ctl
