#include "certmgr/store/restoration.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <unistd.h>

#include "certmgr/store/repositories.h"
#include "certmgr/store/sqlite_error.h"
#include "hal/file.h"
#include "hal/handle.h"

namespace certmgr::store {
namespace {

constexpr const char* databaseName = "certmgr.db";

// RFC 5280 5.2.3: the number of a CRL grows. Lists that were published after the backup was made must not
// find their numbers used again.
constexpr const char* lift = R"sql(
    UPDATE credentials SET generation = generation + :lift;
    UPDATE certificates SET current = current + :lift WHERE current IS NOT NULL;
    UPDATE orders SET replaces = replaces + :lift WHERE replaces IS NOT NULL;
    UPDATE sqlite_sequence SET seq = seq + :lift WHERE name = 'credentials';
    DELETE FROM deployments;
    DELETE FROM meta WHERE name LIKE 'trust-told:%';
    UPDATE crls SET number = number + 1000;
)sql";

Error damagedContent(const std::string& found) {
    return {ErrorKind::rejected, "backup-damaged",
            "the database of the backup cannot be taken: " + found + "; nothing was changed"};
}

// Of a limit of a CA.
struct Used {
    std::string directory, kind, account, subject;
    std::int64_t fullAgain = 0;
};

// What the state before a restore leaves behind.
struct LeftBehind {
    std::int64_t lastGeneration = 0;
    std::vector<std::string> keys;
    std::map<std::string, std::string> authorities;  // SHA-256 by id
    std::vector<IssuedCertificate> issued;
    std::vector<Used> used;
};

std::map<std::string, std::string> authoritiesOf(Database& database) {
    std::map<std::string, std::string> authorities;
    for (const AuthorityRecord& record : AuthorityRepository(database).list())
        authorities.emplace(record.id, record.summary.sha256);
    return authorities;
}

constexpr const char* lastGeneration =
    "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'credentials'";

// Opened as the store does, which brings in what is in its write-ahead log. A file that cannot be read any
// more leaves nothing to take over.
LeftBehind leftBehind(const std::filesystem::path& file) {
    LeftBehind left;
    if (!std::filesystem::exists(file)) return left;
    try {
        Database database(file);
        const Database::Guard guard = database.use();
        translatingErrors(guard.connection.getHandle(), [&] {
            left.lastGeneration = guard.connection.execAndGet(lastGeneration).getInt64();
            SQLite::Statement known(guard.connection, "SELECT id FROM keys");
            while (known.executeStep()) left.keys.push_back(known.getColumn(0).getString());
            SQLite::Statement used(guard.connection,
                                   "SELECT directory, kind, account, subject, full_again FROM rate_buckets");
            while (used.executeStep())
                left.used.push_back({used.getColumn(0).getString(), used.getColumn(1).getString(),
                                     used.getColumn(2).getString(), used.getColumn(3).getString(),
                                     used.getColumn(4).getInt64()});
        });
        left.authorities = authoritiesOf(database);
        left.issued = IssuedRepository(database).list(0, std::numeric_limits<int>::max());
    } catch (const Error& error) {
        if (error.code() != "database-corrupt" && error.code() != "database-not-ours") throw;
    }
    return left;
}

void takeOver(const LeftBehind& left, SQLite::Database& restored) {
    // Above both, so that no number meets another one's while they are changed.
    const std::int64_t above = std::max(left.lastGeneration, restored.execAndGet(lastGeneration).getInt64());
    std::string script = lift;
    for (std::size_t at = 0; (at = script.find(":lift", at)) != std::string::npos;)
        script.replace(at, 5, std::to_string(above));
    restored.exec(script);
    SQLite::Statement insert(restored, "INSERT OR IGNORE INTO keys (id, purpose) VALUES (?, ?)");
    for (const std::string& key : left.keys) {
        insert.bind(1, key);
        insert.bind(2, replacedKey);
        insert.exec();
        insert.reset();
    }
}

// A certificate that was revoked after the backup was made has to stay so. Another box has other CAs under
// the same ids.
void takeOverIssued(const LeftBehind& left, Database& restored) {
    const std::map<std::string, std::string> authorities = authoritiesOf(restored);
    IssuedRepository issued(restored);
    for (const IssuedCertificate& certificate : left.issued) {
        const auto before = left.authorities.find(certificate.authority);
        const auto known = authorities.find(certificate.authority);
        if (before == left.authorities.end() || known == authorities.end() || *before != *known) continue;
        const std::string& serial = certificate.summary.serial;
        if (!issued.find(serial)) issued.add(certificate);
        if (certificate.revocation) issued.revoke(serial, *certificate.revocation);
    }
}

// A CA does not forget what was asked of it since.
void takeOverBudget(const LeftBehind& left, SQLite::Database& restored) {
    SQLite::Statement put(restored,
                          "INSERT INTO rate_buckets (directory, kind, account, subject, full_again) "
                          "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                          "SET full_again = max(full_again, excluded.full_again)");
    for (const Used& used : left.used) {
        put.bind(1, used.directory);
        put.bind(2, used.kind);
        put.bind(3, used.account);
        put.bind(4, used.subject);
        put.bind(5, used.fullAgain);
        put.exec();
        put.reset();
    }
}

// Only the file itself is moved into place. When it is closed SQLite would do this as well, and keep silent
// where it fails.
void emptyLog(SQLite::Database& connection) {
    SQLite::Statement checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
    checkpoint.executeStep();
    if (checkpoint.getColumn(0).getInt() != 0)
        throw Error(ErrorKind::transient, "database-locked",
                    "the database " + connection.getFilename() + " is being read; end what reads it");
}

void prepare(const std::filesystem::path& file, const LeftBehind& left) {
    Database restored(file);
    const Database::Guard guard = restored.use();
    // Numbers change on both sides of a reference. Within a transaction this would have no effect.
    translatingErrors(guard.connection.getHandle(),
                      [&] { guard.connection.exec("PRAGMA foreign_keys = OFF"); });
    restored.transaction([&] {
        takeOver(left, guard.connection);
        takeOverIssued(left, restored);
        takeOverBudget(left, guard.connection);
    });
    translatingErrors(guard.connection.getHandle(), [&] { emptyLog(guard.connection); });
}

}  // namespace

void copyTo(Database& database, const std::filesystem::path& file) {
    std::filesystem::remove(file);
    const hal::UniqueFd made(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made) hal::throwErrno(errno, file.string());
    const Database::Guard guard = database.use();
    translatingErrors(guard.connection.getHandle(), [&] {
        SQLite::Statement copy(guard.connection, "VACUUM INTO ?");
        copy.bind(1, file.string());
        copy.exec();
    });
    hal::syncPath(file);
}

void requireWhole(Database& database) {
    const Database::Guard guard = database.use();
    translatingErrors(guard.connection.getHandle(), [&] {
        SQLite::Database& connection = guard.connection;
        if (connection.execAndGet("SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')")
                .getInt() != 0)
            throw damagedContent("it has triggers or views, which none of ours has");
        const std::string found = connection.execAndGet("PRAGMA integrity_check(1)").getString();
        if (found != "ok") throw damagedContent(found);
        SQLite::Statement references(connection, "PRAGMA foreign_key_check");
        if (references.executeStep())
            throw damagedContent("a row of " + references.getColumn(0).getString() +
                                 " refers to one that is not there");
    });
}

std::filesystem::path pendingRestore(const std::filesystem::path& stateDirectory) {
    return stateDirectory / "restored";
}

bool adoptRestored(const std::filesystem::path& stateDirectory) {
    const std::filesystem::path pending = pendingRestore(stateDirectory);
    if (!std::filesystem::exists(pending)) return false;
    const std::filesystem::path restored = pending / databaseName;
    const std::filesystem::path place = stateDirectory / databaseName;
    const bool there = std::filesystem::exists(restored);
    if (there) {
        prepare(restored, leftBehind(place));
        hal::syncPath(restored);
        // A log that is left would be replayed into the file that comes. What was in it is taken over.
        for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(place.string() + suffix);
        hal::syncPath(stateDirectory);
        std::filesystem::rename(restored, place);
        hal::syncPath(stateDirectory);
    }
    std::filesystem::remove_all(pending);
    return there;
}

}  // namespace certmgr::store
