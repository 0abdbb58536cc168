// The moments that the tests of this folder reckon from.
#pragma once

#include "certmgr/core/clock.h"

namespace certmgr {

inline constexpr std::chrono::hours day{24};
inline constexpr TimePoint start{std::chrono::seconds{1'800'000'037}};

}  // namespace certmgr
