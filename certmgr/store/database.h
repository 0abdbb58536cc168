// The SQLite database: the truth about everything. One connection, used by one thread at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>

#include "certmgr/core/error.h"

namespace SQLite {
class Database;
class Statement;
}  // namespace SQLite

namespace certmgr::store {

// Opens or makes the file (mode 0600, WAL, synchronous=FULL, foreign_keys=ON), copies it to FILE.before-N
// before a migration to version N, and migrates by user_version. A newer version is opened as long as it is
// additive (field application_id kept). The pages are not all checked at open: quick_check reads the whole
// file, which grows with the history that is kept; SQLite notices a damaged page when it is read.
// Errors: "database-corrupt", "database-not-ours", "disk-full", "database-locked", "database-unreachable".
class Database {
  public:
    explicit Database(const std::filesystem::path& file);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // Runs `work` with the connection held, in one transaction that is durable when this returns; rolled back
    // and rethrown where work throws. Within a transaction of the same thread it takes part in that one, as
    // every repository does that is called inside: what it did is undone where it throws, and durable when
    // the outermost one returns. Other threads wait.
    void transaction(const std::function<void()>& work);

    // For repositories: the connection, with the lock held as long as the guard lives.
    struct Guard {
        std::unique_lock<std::recursive_mutex> lock;
        SQLite::Database& connection;
    };
    Guard use();

    // For repositories, under a guard: `sql` prepared once and kept. It has to be a literal.
    SQLite::Statement& prepared(const char* sql);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace certmgr::store
