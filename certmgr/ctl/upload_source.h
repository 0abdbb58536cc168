// Where an upload comes from.
#pragma once

#include <string>

#include "hal/handle.h"

namespace certmgr::ctl {

inline constexpr std::size_t maxUpload = 256 * 1024;  // certmgrd reads no more either

// A descriptor that can be handed to certmgrd: the file itself, or for "-" a sealed memfd with what standard
// input gave, which may be a terminal or a socket. Failure(refused): unreadable, or too large.
hal::UniqueFd openUpload(const std::string& file);

}  // namespace certmgr::ctl
