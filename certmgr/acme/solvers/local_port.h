// Whether somebody on this box listens.
#pragma once

#include <cstdint>

namespace certmgr::acme {

bool listensLocally(std::uint16_t port);  // on 127.0.0.1

}  // namespace certmgr::acme
