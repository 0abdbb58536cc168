// What of a state needs a key that is not in its backup.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "certmgr/engine/records.h"

namespace certmgr::engine {

using IsMissing = std::function<bool(const KeyId&)>;

// A line for each certificate in force, CA in force, account and upload whose key is missing.
std::vector<std::string> missingKeys(Records& records, const IsMissing& isMissing);

// The same of a database that came in a backup, after all checks of it: Error(rejected, "backup-damaged").
std::vector<std::string> missingKeysOf(const std::filesystem::path& database, const IsMissing& isMissing);

}  // namespace certmgr::engine
