// Where the responder's sockets come from.
#pragma once

#include <string>
#include <vector>

#include "hal/handle.h"

namespace certmgr::responder {

// "127.0.0.1:80", "[::]:80". Throws Error(misconfigured) that says what is wrong with the text, or why it
// cannot be had.
hal::UniqueFd listenOn(const std::string& endpoint);

// The sockets of systemd's socket activation (sd_listen_fds(3)); none where it did not start us.
std::vector<hal::UniqueFd> inheritedSockets();

}  // namespace certmgr::responder
