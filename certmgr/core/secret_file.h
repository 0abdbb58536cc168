// A secret of the administrator's, in a file of one line that root and we alone may read.
#pragma once

#include <filesystem>
#include <string>

namespace certmgr {

// What is wrong with the file, owner or rights, and what was expected: for people. Empty: nothing. Reads none
// of it.
std::string whyNotSecret(const std::filesystem::path& file);

// Its line. Throws Error(misconfigured, "bad-secret-file"); the message has none of it.
std::string readSecret(const std::filesystem::path& file);

}  // namespace certmgr
