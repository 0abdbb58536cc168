// A file that a responder, which runs as somebody else, reads.
#pragma once

#include <filesystem>
#include <string>

namespace certmgr::acme {

inline constexpr const char* unfinishedSuffix = ".tmp";

// Whole, or not there at all. Throws internal errors of the file system.
void writeReadable(const std::filesystem::path& file, const std::string& content);

}  // namespace certmgr::acme
