// The schema, and how a file comes from one version of it to the next.
#pragma once

#include <filesystem>
#include <span>

namespace SQLite {
class Database;
}

namespace certmgr::store {

// Step N of the list leads from user_version N-1 to N. After a rolled back firmware update the release before
// works on the newer file, so a step only adds: tables, indexes, columns with a default.
struct Migration {
    const char* sql;
};
std::span<const Migration> migrations();

// Throws Error(misconfigured, "database-not-ours") unless the file is empty or has our application_id.
void refuseForeignFile(SQLite::Database& connection);

// Each step is one transaction; before it, what is in `file` is copied to FILE.before-N, whole or not at all.
void migrate(SQLite::Database& connection, const std::filesystem::path& file,
             std::span<const Migration> steps);

}  // namespace certmgr::store
