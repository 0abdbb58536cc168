// SQLite's result codes as the product's errors.
#pragma once

#include <utility>

#include <SQLiteCpp/Exception.h>

struct sqlite3;

namespace certmgr::store {

// "disk-full", "database-io", "database-locked", "database-corrupt", "database-not-ours",
// "database-unreachable", "database-reference" (a foreign key), "database-duplicate", "database-failed".
// `connection` may be null.
[[noreturn]] void throwSqliteError(const SQLite::Exception& error, sqlite3* connection);

template <class Work>
decltype(auto) translatingErrors(sqlite3* connection, Work&& work) {
    try {
        return std::forward<Work>(work)();
    } catch (const SQLite::Exception& error) {
        throwSqliteError(error, connection);
    }
}

}  // namespace certmgr::store
