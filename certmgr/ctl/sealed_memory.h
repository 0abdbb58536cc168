// Memory that can be handed to certmgrd as a descriptor.
#pragma once

#include <string>
#include <string_view>

#include "hal/handle.h"

namespace certmgr::ctl {

// A memfd with nothing in it. This and all below: Failure(refused) where the kernel refuses.
hal::UniqueFd newMemory(const char* name);
void writeAll(int fd, std::string_view content);
// Read from its beginning by whoever gets it, and changed by nobody any more.
void rewindAndSeal(const hal::UniqueFd& memory);
// What is there now, at least one octet; 0 at the end. `what` is named where it cannot be read.
std::size_t readSome(int fd, char* data, std::size_t size, const std::string& what);

}  // namespace certmgr::ctl
