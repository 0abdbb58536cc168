// The modes of files that the engine writes for others.
#pragma once

#include <sys/types.h>

namespace certmgr::engine {

inline constexpr mode_t readableByAll = 0644;

}  // namespace certmgr::engine
