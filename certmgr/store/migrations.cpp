#include "certmgr/store/migrations.h"

#include <array>
#include <string>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <unistd.h>

#include "certmgr/core/error.h"
#include "hal/file.h"

namespace certmgr::store {
namespace {

constexpr int applicationId = 0x434d4752;  // "CMGR"

// Times are seconds since the epoch, NULL for none; lists are JSON arrays; the words are those of toString().
constexpr const char* version1 = R"sql(
    CREATE TABLE meta (
        name  TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE keys (
        id          TEXT PRIMARY KEY,
        purpose     TEXT NOT NULL,
        made        INTEGER NOT NULL DEFAULT 0,
        algorithm   TEXT NOT NULL DEFAULT '',
        backend     TEXT NOT NULL DEFAULT '',
        reason_code TEXT NOT NULL DEFAULT '',
        reason      TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE certificates (
        id              TEXT PRIMARY KEY,
        names           TEXT NOT NULL,
        key_algorithm   TEXT NOT NULL,
        key_policy      TEXT NOT NULL,
        acme            INTEGER NOT NULL,
        users           TEXT NOT NULL,
        from_profile    INTEGER NOT NULL,
        reissue_asked   INTEGER NOT NULL DEFAULT 0,
        failures        INTEGER NOT NULL DEFAULT 0,
        next_attempt    INTEGER,
        last_attempt    INTEGER,
        last_error      TEXT NOT NULL DEFAULT '',
        last_error_code TEXT NOT NULL DEFAULT '',
        last_problem    TEXT NOT NULL DEFAULT '',
        current         INTEGER,
        FOREIGN KEY (id, current) REFERENCES credentials (certificate, generation)
    ) STRICT, WITHOUT ROWID;

    -- AUTOINCREMENT: the number of a deleted generation never comes again.
    CREATE TABLE credentials (
        generation  INTEGER PRIMARY KEY AUTOINCREMENT,
        certificate TEXT NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
        source      TEXT NOT NULL,
        key         TEXT NOT NULL REFERENCES keys (id),
        chain_pem   TEXT NOT NULL,
        issuer_id   TEXT NOT NULL,
        added       INTEGER NOT NULL,
        names       TEXT NOT NULL,
        subject     TEXT NOT NULL,
        issuer      TEXT NOT NULL,
        serial      TEXT NOT NULL,
        sha256      TEXT NOT NULL,
        not_before  INTEGER NOT NULL,
        not_after   INTEGER NOT NULL,
        UNIQUE (certificate, generation)
    ) STRICT;
    CREATE INDEX credentials_by_key ON credentials (key);

    CREATE TABLE uploads (
        id         INTEGER PRIMARY KEY AUTOINCREMENT,
        key        TEXT NOT NULL REFERENCES keys (id),
        chain_pem  TEXT NOT NULL,
        uploaded   INTEGER NOT NULL,
        names      TEXT NOT NULL,
        subject    TEXT NOT NULL,
        issuer     TEXT NOT NULL,
        serial     TEXT NOT NULL,
        sha256     TEXT NOT NULL,
        not_before INTEGER NOT NULL,
        not_after  INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX uploads_by_key ON uploads (key);

    CREATE TABLE orders (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        certificate TEXT NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
        ca          TEXT NOT NULL,
        key         TEXT REFERENCES keys (id) ON DELETE SET NULL,  -- an ended order outlives its key
        state       TEXT NOT NULL,
        url         TEXT NOT NULL DEFAULT '',
        explanation TEXT NOT NULL DEFAULT '',
        intended    INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX one_open_order ON orders (certificate) WHERE state IN ('intended', 'sending', 'created');
    CREATE INDEX orders_by_certificate ON orders (certificate);
    CREATE INDEX orders_by_key ON orders (key);
    CREATE INDEX orders_by_url ON orders (url) WHERE url <> '';

    CREATE TABLE accounts (
        ca        TEXT NOT NULL,
        directory TEXT NOT NULL,
        key       TEXT NOT NULL REFERENCES keys (id),
        url       TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (ca, directory)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE authorities (
        number          INTEGER PRIMARY KEY AUTOINCREMENT,
        id              TEXT NOT NULL UNIQUE,
        role            TEXT NOT NULL,
        key             TEXT NOT NULL REFERENCES keys (id),
        certificate_pem TEXT NOT NULL,
        parent          TEXT REFERENCES authorities (id),
        names           TEXT NOT NULL,
        subject         TEXT NOT NULL,
        issuer          TEXT NOT NULL,
        serial          TEXT NOT NULL,
        sha256          TEXT NOT NULL,
        not_before      INTEGER NOT NULL,
        not_after       INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE deployments (
        service      TEXT NOT NULL,
        certificate  TEXT NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
        wanted       INTEGER NOT NULL,
        last_good    INTEGER NOT NULL,
        state        TEXT NOT NULL,
        reason       TEXT NOT NULL,
        proved_at    INTEGER,
        failures     INTEGER NOT NULL,
        next_attempt INTEGER,
        PRIMARY KEY (service, certificate)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX deployments_by_certificate ON deployments (certificate);
)sql";

// What the box's own CA issued to others, its revocation lists, and roots that sign each other.
constexpr const char* version2 = R"sql(
    ALTER TABLE authorities ADD COLUMN upper_chain_pem TEXT NOT NULL DEFAULT '';

    CREATE TABLE cross_certificates (
        subject         TEXT NOT NULL REFERENCES authorities (id),
        issuer          TEXT NOT NULL REFERENCES authorities (id),
        certificate_pem TEXT NOT NULL,
        not_after       INTEGER NOT NULL,
        PRIMARY KEY (subject, issuer)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE issued (
        number            INTEGER PRIMARY KEY AUTOINCREMENT,
        authority         TEXT NOT NULL REFERENCES authorities (id),
        purpose           TEXT NOT NULL,
        alternative_names TEXT NOT NULL,
        certificate_pem   TEXT NOT NULL,
        issued            INTEGER NOT NULL,
        revoked           INTEGER,
        revocation_reason TEXT NOT NULL DEFAULT '',
        names             TEXT NOT NULL,
        subject           TEXT NOT NULL,
        issuer            TEXT NOT NULL,
        serial            TEXT NOT NULL,
        sha256            TEXT NOT NULL,
        not_before        INTEGER NOT NULL,
        not_after         INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX issued_by_serial ON issued (serial);
    CREATE INDEX issued_and_revoked ON issued (authority) WHERE revoked IS NOT NULL;

    CREATE TABLE crls (
        authority   TEXT PRIMARY KEY REFERENCES authorities (id),
        number      INTEGER NOT NULL,
        this_update INTEGER NOT NULL,
        next_update INTEGER NOT NULL,
        serials     TEXT NOT NULL,
        crl_pem     TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- A key that was made for an issuing CA whose certificate somebody else has to sign.
    CREATE TABLE authority_requests (
        key TEXT PRIMARY KEY REFERENCES keys (id)
    ) STRICT, WITHOUT ROWID;
)sql";

// A CA is known by the URL of its directory: its name is the administrator's (RFC 8555 7.1.1). And a
// certificate that only profiles ever asked for goes with them.
constexpr const char* version3 = R"sql(
    ALTER TABLE orders ADD COLUMN directory TEXT NOT NULL DEFAULT '';
    ALTER TABLE certificates ADD COLUMN profile_only INTEGER NOT NULL DEFAULT 0;
)sql";

// What is wrong, and what of it has still to be told.
constexpr const char* version4 = R"sql(
    CREATE TABLE alarms (
        kind     TEXT NOT NULL,
        subject  TEXT NOT NULL,
        severity TEXT NOT NULL,
        sentence TEXT NOT NULL,
        since    INTEGER NOT NULL,
        PRIMARY KEY (kind, subject)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE alarm_notices (
        number   INTEGER PRIMARY KEY AUTOINCREMENT,
        event    TEXT NOT NULL,
        kind     TEXT NOT NULL,
        subject  TEXT NOT NULL,
        severity TEXT NOT NULL,
        sentence TEXT NOT NULL,
        since    INTEGER NOT NULL
    ) STRICT;
)sql";

// When a CA wants its certificate renewed (RFC 9773).
constexpr const char* version5 = R"sql(
    CREATE TABLE renewal_information (
        generation      INTEGER PRIMARY KEY REFERENCES credentials (generation) ON DELETE CASCADE,
        window_start    INTEGER,
        window_end      INTEGER,
        renew_at        INTEGER NOT NULL,
        explanation_url TEXT NOT NULL,
        failures        INTEGER NOT NULL,
        next_query      INTEGER NOT NULL
    ) STRICT;
)sql";

// What was agreed to with an account, and what it is bound to.
constexpr const char* version6 = R"sql(
    ALTER TABLE accounts ADD COLUMN terms TEXT NOT NULL DEFAULT '';
    ALTER TABLE accounts ADD COLUMN terms_agreed TEXT NOT NULL DEFAULT '';
    ALTER TABLE accounts ADD COLUMN terms_agreed_at INTEGER;
    ALTER TABLE accounts ADD COLUMN external_key TEXT NOT NULL DEFAULT '';
)sql";

// What is used of the limits of a CA (core/rate_budget.h). Whether an order counts is decided when newOrder
// is sent, and holds to its end.
constexpr const char* version7 = R"sql(
    CREATE TABLE rate_buckets (
        directory  TEXT NOT NULL,
        kind       TEXT NOT NULL,
        account    TEXT NOT NULL,
        subject    TEXT NOT NULL,
        full_again INTEGER NOT NULL,
        PRIMARY KEY (directory, kind, account, subject)
    ) STRICT, WITHOUT ROWID;

    ALTER TABLE orders ADD COLUMN exempt INTEGER NOT NULL DEFAULT 0;
)sql";

// The profile of a CA that a certificate is ordered under: what is wanted, and what it was.
constexpr const char* version8 = R"sql(
    ALTER TABLE certificates ADD COLUMN acme_profile TEXT NOT NULL DEFAULT '';
    ALTER TABLE certificates ADD COLUMN acme_profile_required INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE orders ADD COLUMN profile TEXT NOT NULL DEFAULT '';
    ALTER TABLE credentials ADD COLUMN acme_profile TEXT NOT NULL DEFAULT '';
    ALTER TABLE credentials ADD COLUMN acme_profile_reason TEXT NOT NULL DEFAULT '';
)sql";

// Which of the chains that a CA gives is served: what is wanted, and why it is this one.
constexpr const char* version9 = R"sql(
    ALTER TABLE certificates ADD COLUMN preferred_chain TEXT NOT NULL DEFAULT '';
    ALTER TABLE credentials ADD COLUMN chain_reason TEXT NOT NULL DEFAULT '';
)sql";

// The key that is to follow the one of an account; whether the CA has taken it, only the CA knows.
constexpr const char* version10 = R"sql(
    ALTER TABLE accounts ADD COLUMN next_key TEXT REFERENCES keys (id);
)sql";

// What is to be taken back at a CA, and what became of it. It outlives its certificate.
constexpr const char* version11 = R"sql(
    CREATE TABLE acme_revocations (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        certificate  TEXT NOT NULL,
        ca           TEXT NOT NULL,
        key          TEXT REFERENCES keys (id) ON DELETE SET NULL,  -- one that is over outlives its key
        leaf_pem     TEXT NOT NULL,
        reason       TEXT NOT NULL,
        asked        INTEGER NOT NULL,
        state        TEXT NOT NULL,
        words        TEXT NOT NULL DEFAULT '',
        failures     INTEGER NOT NULL DEFAULT 0,
        next_attempt INTEGER,
        names        TEXT NOT NULL,
        subject      TEXT NOT NULL,
        issuer       TEXT NOT NULL,
        serial       TEXT NOT NULL,
        sha256       TEXT NOT NULL,
        not_before   INTEGER NOT NULL,
        not_after    INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX one_revocation ON acme_revocations (sha256);
    CREATE INDEX acme_revocations_by_key ON acme_revocations (key);
    CREATE INDEX acme_revocations_by_certificate ON acme_revocations (certificate);
)sql";

// Why the order of a certificate waits, and for what; empty where it does not.
constexpr const char* version12 = R"sql(
    ALTER TABLE certificates ADD COLUMN waits TEXT NOT NULL DEFAULT '';
    ALTER TABLE certificates ADD COLUMN waits_for TEXT NOT NULL DEFAULT '';
)sql";

// A CA is found by its directory, since its name is the administrator's. And whether services that are not
// proved are waited for.
constexpr const char* version13 = R"sql(
    ALTER TABLE acme_revocations ADD COLUMN directory TEXT NOT NULL DEFAULT '';
    ALTER TABLE acme_revocations ADD COLUMN at_once INTEGER NOT NULL DEFAULT 0;
    UPDATE acme_revocations SET directory = coalesce(
        (SELECT directory FROM orders WHERE orders.key = acme_revocations.key ORDER BY orders.id DESC LIMIT 1), '');
)sql";

// What a CA has said to leave alone for a while (core/ca_pause.h).
constexpr const char* version14 = R"sql(
    CREATE TABLE ca_pauses (
        directory TEXT NOT NULL,
        subject   TEXT NOT NULL,
        until     INTEGER NOT NULL,
        reason    TEXT NOT NULL,
        url       TEXT NOT NULL,
        PRIMARY KEY (directory, subject)
    ) STRICT, WITHOUT ROWID;
)sql";

// The records of dns-persist-01 that certificates were proved by, as they were seen last.
constexpr const char* version15 = R"sql(
    CREATE TABLE persist_records (
        certificate TEXT NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
        name        TEXT NOT NULL,
        ca          TEXT NOT NULL,
        until       INTEGER,
        complaint   TEXT NOT NULL DEFAULT '',
        next_look   INTEGER NOT NULL,
        PRIMARY KEY (certificate, name)
    ) STRICT, WITHOUT ROWID;
)sql";

// The generation that an order is to replace at the CA (RFC 9773 5): while that is in force, the order may be
// gone back to. And each view of a certificate counts its orders that came to nothing, among all of years.
constexpr const char* version16 = R"sql(
    ALTER TABLE orders ADD COLUMN replaces INTEGER;
    DROP INDEX orders_by_certificate;
    CREATE INDEX orders_by_certificate ON orders (certificate, state, intended);
)sql";

// The kind of challenge that proved a certificate is tried first when it is renewed. And what of a CA was
// renewed, while it is valid: its key is gone, but it may still have to be revoked.
constexpr const char* version17 = R"sql(
    ALTER TABLE certificates ADD COLUMN proved_by TEXT NOT NULL DEFAULT '';
    CREATE TABLE retired_certificates (
        certificate TEXT NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
        ca          TEXT NOT NULL,
        directory   TEXT NOT NULL,
        chain_pem   TEXT NOT NULL,
        names       TEXT NOT NULL,
        subject     TEXT NOT NULL,
        issuer      TEXT NOT NULL,
        serial      TEXT NOT NULL,
        sha256      TEXT NOT NULL PRIMARY KEY,
        not_before  INTEGER NOT NULL,
        not_after   INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX retired_by_certificate ON retired_certificates (certificate);
)sql";

constexpr std::array steps{Migration{version1},  Migration{version2},  Migration{version3},
                           Migration{version4},  Migration{version5},  Migration{version6},
                           Migration{version7},  Migration{version8},  Migration{version9},
                           Migration{version10}, Migration{version11}, Migration{version12},
                           Migration{version13}, Migration{version14}, Migration{version15},
                           Migration{version16}, Migration{version17}};

int numberOf(SQLite::Database& connection, const char* query) {
    return connection.execAndGet(query).getInt();
}

void copyBefore(SQLite::Database& connection, const std::filesystem::path& file, int version) {
    const std::filesystem::path copy = file.string() + ".before-" + std::to_string(version);
    const std::filesystem::path unfinished = copy.string() + ".new";
    std::filesystem::remove(unfinished);
    ::close(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    {
        SQLite::Database target(unfinished.string(), SQLite::OPEN_READWRITE);
        SQLite::Backup(target, connection).executeStep(-1);
    }
    hal::syncPath(unfinished);
    std::filesystem::rename(unfinished, copy);
    hal::syncPath(std::filesystem::absolute(copy).parent_path());
}

}  // namespace

std::span<const Migration> migrations() {
    return steps;
}

void refuseForeignFile(SQLite::Database& connection) {
    const int found = numberOf(connection, "PRAGMA application_id");
    if (found == applicationId) return;
    if (found == 0 && numberOf(connection, "SELECT count(*) FROM sqlite_schema") == 0) return;
    throw Error(ErrorKind::misconfigured, "database-not-ours",
                "the file " + connection.getFilename() +
                    " is a database of another program (application_id " + std::to_string(found) +
                    ", expected " + std::to_string(applicationId) + "); move it away");
}

void migrate(SQLite::Database& connection, const std::filesystem::path& file,
             std::span<const Migration> list) {
    const int before = numberOf(connection, "PRAGMA user_version");
    for (int version = before + 1; version <= static_cast<int>(list.size()); ++version) {
        if (version > 1) copyBefore(connection, file, version);
        SQLite::Transaction transaction(connection, SQLite::TransactionBehavior::IMMEDIATE);
        connection.exec(list[static_cast<std::size_t>(version) - 1].sql);
        connection.exec("PRAGMA application_id = " + std::to_string(applicationId));
        connection.exec("PRAGMA user_version = " + std::to_string(version));
        transaction.commit();
    }
}

}  // namespace certmgr::store
