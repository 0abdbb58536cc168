// Where the responder's sockets come from.
#pragma once

#include <string>
#include <vector>

#include "hal/handle.h"

namespace certmgr::responder {

// Those of systemd's socket activation (sd_listen_fds(3)), and one for each endpoint: "127.0.0.1:80",
// "[::]:80". Throws Error(misconfigured) that says what is wrong with an endpoint, why it cannot be had, or
// that there is no socket at all.
std::vector<hal::UniqueFd> allSockets(const std::vector<std::string>& endpoints);

}  // namespace certmgr::responder
