#include "certmgr/store/sqlite_error.h"

#include <cerrno>
#include <string>

#include <sqlite3.h>

#include "certmgr/core/error.h"

namespace certmgr::store {
namespace {

struct Meaning {
    ErrorKind kind;
    const char* code;
    const char* advice;
};

bool outOfSpace(int errnum) {
    return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
}

Meaning meaningOfConstraint(int extended) {
    switch (extended) {
        case SQLITE_CONSTRAINT_FOREIGNKEY:
            return {ErrorKind::rejected, "database-reference",
                    "something else in the database still needs it, or it "
                    "needs something that is not there"};
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
            return {ErrorKind::rejected, "database-duplicate", "there is one already"};
        default:
            return {ErrorKind::internal, "database-failed", "this is a defect of certmgr; report it"};
    }
}

Meaning meaningOf(int primary, int extended, int errnum) {
    switch (primary) {
        case SQLITE_FULL:
            return {ErrorKind::internal, "disk-full", "free some space on this disk"};
        case SQLITE_IOERR:
            if (outOfSpace(errnum)) return {ErrorKind::internal, "disk-full", "free some space on this disk"};
            return {ErrorKind::internal, "database-io", "look for disk errors in the kernel's log"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorKind::transient, "database-locked", "another process uses the file; end it"};
        case SQLITE_CORRUPT:
            return {ErrorKind::internal, "database-corrupt",
                    "put back a backup, or the copy FILE.before-N beside it"};
        case SQLITE_NOTADB:
            return {ErrorKind::misconfigured, "database-not-ours", "this file is no database; move it away"};
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return {ErrorKind::misconfigured, "database-unreachable",
                    "check owner and rights of the file and its folder"};
        case SQLITE_CONSTRAINT:
            return meaningOfConstraint(extended);
        default:
            return {ErrorKind::internal, "database-failed", "this is a defect of certmgr; report it"};
    }
}

}  // namespace

void throwSqliteError(const SQLite::Exception& error, sqlite3* connection) {
    const int extended =
        error.getExtendedErrorCode() > 0 ? error.getExtendedErrorCode() : error.getErrorCode();
    const int errnum = connection ? sqlite3_system_errno(connection) : 0;
    const Meaning meaning = meaningOf(extended & 0xff, extended, errnum);
    const char* file = connection ? sqlite3_db_filename(connection, "main") : nullptr;
    throw Error(
        meaning.kind, meaning.code,
        "the database" + (file ? " " + std::string(file) : "") + ": " + error.what() + "; " + meaning.advice);
}

}  // namespace certmgr::store
