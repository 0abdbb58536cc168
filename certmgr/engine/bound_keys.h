// What of a state needs a key that is not in its backup.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "certmgr/engine/records.h"

namespace certmgr::engine {

// A line for each certificate in force, CA in force, account and upload whose key is not among `carried`.
std::vector<std::string> boundKeys(Records& records, const std::set<KeyId>& carried);

// The same of a database that came in a backup, after all checks of it: Error(rejected, "backup-damaged").
std::vector<std::string> boundKeysOf(const std::filesystem::path& database, const std::set<KeyId>& carried);

}  // namespace certmgr::engine
