#include "certmgr/store/database.h"

#include <cerrno>
#include <map>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "certmgr/store/migrations.h"
#include "certmgr/store/sqlite_error.h"
#include "hal/handle.h"

namespace certmgr::store {
namespace {

constexpr int busyTimeoutMilliseconds = 5000;

// Pages of 1 KiB, which only a new database takes up: a transaction changes a few rows here and there, and
// each page of it is written whole. 64 KiB of them are kept: a thousand certificates are read through once at
// start, afterwards row by row.
constexpr const char* settings = R"(
    PRAGMA page_size = 1024;
    PRAGMA journal_mode = WAL;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -64;
    PRAGMA journal_size_limit = 4194304;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
)";

// SQLite gives -wal and -shm the mode of the database, so it has to be right before the first page is
// written.
void makePrivate(const std::filesystem::path& file) {
    const hal::UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
    if (!fd)
        throw Error(ErrorKind::misconfigured, "database-unreachable",
                    "cannot open the database " + file.string() + ": " +
                        std::generic_category().message(errno) +
                        "; check owner and rights of the file and its folder");
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) hal::throwErrno(errno, file.string());
    if (!S_ISREG(status.st_mode))
        throw Error(ErrorKind::misconfigured, "database-not-ours",
                    "the database " + file.string() + " is not a regular file; move it away");
    if ((status.st_mode & 0777) != 0600 && ::fchmod(fd.get(), 0600) != 0)
        hal::throwErrno(errno, file.string());
}

SQLite::Database open(const std::filesystem::path& file) {
    makePrivate(file);
    return translatingErrors(nullptr, [&] {
        return SQLite::Database(file.string(), SQLite::OPEN_READWRITE, busyTimeoutMilliseconds);
    });
}

}  // namespace

struct Database::Impl {
    explicit Impl(const std::filesystem::path& file) : connection(open(file)) {}

    bool lost() { return depth > 0 && sqlite3_get_autocommit(connection.getHandle()) != 0; }
    void begin() { connection.exec(depth == 0 ? "BEGIN IMMEDIATE" : "SAVEPOINT joined"); }
    void commit() { connection.exec(depth == 0 ? "COMMIT" : "RELEASE joined"); }
    void rollBack() noexcept {
        // A full disk or an I/O error has rolled the whole transaction back already.
        if (sqlite3_get_autocommit(connection.getHandle()) != 0) return;
        connection.tryExec(depth == 0 ? "ROLLBACK" : "ROLLBACK TO joined; RELEASE joined");
    }

    std::recursive_mutex mutex;
    SQLite::Database connection;
    std::map<std::string_view, SQLite::Statement> statements;
    int depth = 0;  // of transaction() calls on the thread that holds the mutex
};

Database::Database(const std::filesystem::path& file) : impl_(std::make_unique<Impl>(file)) {
    SQLite::Database& connection = impl_->connection;
    translatingErrors(connection.getHandle(), [&] {
        refuseForeignFile(connection);
        connection.exec(settings);
        migrate(connection, file, migrations());
    });
}

Database::~Database() = default;

void Database::transaction(const std::function<void()>& work) {
    const Guard guard = use();
    translatingErrors(guard.connection.getHandle(), [&] {
        impl_->begin();
        try {
            ++impl_->depth;
            work();
            --impl_->depth;
        } catch (...) {
            --impl_->depth;
            impl_->rollBack();
            throw;
        }
        try {
            impl_->commit();
        } catch (...) {
            impl_->rollBack();
            throw;
        }
    });
}

Database::Guard Database::use() {
    std::unique_lock lock(impl_->mutex);
    // What follows would be committed statement by statement.
    if (impl_->lost())
        throw Error(ErrorKind::internal, "database-failed",
                    "the transaction was rolled back by an error before; nothing of it was kept");
    return {std::move(lock), impl_->connection};
}

SQLite::Statement& Database::prepared(const char* sql) {
    const auto found = impl_->statements.find(sql);
    if (found != impl_->statements.end()) return found->second;
    return impl_->statements.emplace(sql, SQLite::Statement(impl_->connection, sql)).first->second;
}

}  // namespace certmgr::store
