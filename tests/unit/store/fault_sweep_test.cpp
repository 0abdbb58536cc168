// Every write, truncation and sync fails once: an error, nothing half-written, and work goes on when the disk
// is well again.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "tests/support/child_process.h"
#include "tests/unit/store/fault_vfs.h"
#include "tests/unit/store/samples.h"

namespace certmgr::store {
namespace {

using testing_support::FaultVfs;
using testing_support::TemporaryDirectory;

struct Fault {
    const char* name;
    int sqliteCode;
    const char* expected;
};
void PrintTo(const Fault& fault, std::ostream* out) {
    *out << fault.name;
}

// A new certificate with all that belongs to it, large enough to spill out of the page cache.
void issueOnce(Database& database, char digit) {
    database.transaction([&] {
        KeyRepository(database).intend(sampleKey(digit), "certificate:a.example");
        CertificateRepository(database).put(sampleSpec("a.example"), true);
        Credential credential = sampleCredential("a.example", sampleKey(digit));
        credential.chainPem = std::string(250'000, digit);
        CredentialRepository credentials(database);
        credentials.setCurrent("a.example", credentials.add(credential, sampleTime));
    });
}

std::int64_t rows(Database& database) {
    const Database::Guard guard = database.use();
    EXPECT_EQ(guard.connection.execAndGet("PRAGMA integrity_check").getString(), "ok");
    const auto keys = guard.connection.execAndGet("SELECT count(*) FROM keys").getInt64();
    EXPECT_EQ(keys, guard.connection.execAndGet("SELECT count(*) FROM credentials").getInt64());
    return keys;
}

class Sweep : public testing::TestWithParam<Fault> {};

TEST_P(Sweep, aTransactionFailsWholeAndCanBeRepeated) {
    FaultVfs disk;
    const TemporaryDirectory migrated;  // once, since that takes longer than all the rest
    { const Database database(migrated / "certmgr.db"); }
    int faults = 0;
    for (int nth = 1; nth == faults + 1; ++nth) {
        const TemporaryDirectory folder;
        std::filesystem::copy_file(migrated / "certmgr.db", folder / "certmgr.db");
        Database database(folder / "certmgr.db");
        issueOnce(database, 'a');
        disk.failFrom(nth, GetParam().sqliteCode);
        const std::string code = errorCode([&] { issueOnce(database, 'b'); });
        disk.heal();
        // What fails after the commit (a checkpoint) costs nothing and is tried again by the next
        // transaction.
        if (disk.failed()) ++faults;
        const bool kept = code == "none";
        ASSERT_TRUE(kept || code == GetParam().expected) << code << " at fault " << nth;
        ASSERT_EQ(rows(database), kept ? 2 : 1) << "fault " << nth;
        issueOnce(database, 'c');
        ASSERT_EQ(rows(database), kept ? 3 : 2) << "fault " << nth;
    }
    EXPECT_GT(faults, 100);
}

TEST_P(Sweep, opening) {
    FaultVfs disk;
    int faults = 0;
    for (int nth = 1; nth == faults + 1; ++nth) {
        const TemporaryDirectory folder;
        disk.failFrom(nth, GetParam().sqliteCode);
        const std::string code = errorCode([&] { const Database database(folder / "certmgr.db"); });
        disk.heal();
        if (disk.failed()) ++faults;
        ASSERT_TRUE(code == "none" || code == GetParam().expected) << code << " at fault " << nth;
        Database database(folder / "certmgr.db");
        issueOnce(database, 'a');
        ASSERT_EQ(rows(database), 1) << "fault " << nth;
    }
    EXPECT_GT(faults, 10);
}

TEST_P(Sweep, anInnerFailureThatIsSwallowedKeepsNothing) {
    FaultVfs disk;
    const TemporaryDirectory folder;
    Database database(folder / "certmgr.db");
    disk.failFrom(1, GetParam().sqliteCode);
    const std::string code = errorCode([&] {
        database.transaction([&] {
            EXPECT_EQ(errorCode([&] { issueOnce(database, 'a'); }), GetParam().expected);
            disk.heal();
            KeyRepository(database).intend(sampleKey('d'), "certificate:d.example");
        });
    });
    EXPECT_EQ(code, "database-failed");
    EXPECT_EQ(rows(database), 0);
}

INSTANTIATE_TEST_SUITE_P(all, Sweep,
                         testing::Values(Fault{"full", SQLITE_FULL, "disk-full"},
                                         Fault{"write", SQLITE_IOERR_WRITE, "database-io"},
                                         Fault{"sync", SQLITE_IOERR_FSYNC, "database-io"}));

}  // namespace
}  // namespace certmgr::store
