// Secrets of the administrator's, in a file that root and we alone may read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace certmgr {

// What is wrong with the file, owner or rights, and what was expected: for people. Empty: nothing. Reads none
// of it.
std::string whyNotSecret(const std::filesystem::path& file);

// These throw Error(misconfigured, "bad-secret-file"); the message has nothing of the file.
//
// The one line that it has.
std::string readSecret(const std::filesystem::path& file);
// Its lines NAME=value, without empty ones, comments ("#") and quotes around a value. At most 16 KiB.
std::vector<std::string> readSecretVariables(const std::filesystem::path& file);

}  // namespace certmgr
