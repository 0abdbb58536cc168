// The SQLite database: the truth about everything. One connection, used by one thread at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>

#include "certmgr/core/error.h"

namespace SQLite {
class Database;
}

namespace certmgr::store {

// Opens or makes the file (WAL, synchronous=FULL, foreign_keys=ON), copies it to FILE.before-N before a migration to
// version N, and migrates by user_version. A newer version is opened as long as it is additive (field application_id kept).
// Errors: "database-corrupt", "database-not-ours", "disk-full", "database-locked".
class Database {
  public:
    explicit Database(const std::filesystem::path& file);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // Runs `work` with the connection held, in one transaction that is durable when this returns; rolled back and
    // rethrown as Error where work throws. Not re-entrant: repositories take part in a running transaction when they
    // are called inside (same thread), and make one of their own otherwise.
    void transaction(const std::function<void()>& work);

    // For repositories: the connection, with the lock held as long as the guard lives.
    struct Guard {
        std::unique_lock<std::recursive_mutex> lock;
        SQLite::Database& connection;
    };
    Guard use();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace certmgr::store
