// What write(2) and fsync(2) leave to their caller.
#pragma once

#include <filesystem>
#include <string_view>

namespace hal {

// 0, or the errno of the write that failed: each caller has its own words for it.
[[nodiscard]] int writeAll(int fd, std::string_view content) noexcept;

// A file, or a folder with the names in it. Throws Error(internal).
void syncPath(const std::filesystem::path& path);

}  // namespace hal
