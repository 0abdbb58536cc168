// write(2) until all is written.
#pragma once

#include <string_view>

namespace hal {

// 0, or the errno of the write that failed: each caller has its own words for it.
[[nodiscard]] int writeAll(int fd, std::string_view content) noexcept;

}  // namespace hal
