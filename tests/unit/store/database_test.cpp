#include "certmgr/store/database.h"

#include <array>
#include <thread>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "certmgr/store/migrations.h"
#include "tests/support/child_process.h"
#include "tests/unit/store/samples.h"

namespace certmgr::store {
namespace {

using testing_support::TemporaryDirectory;

class DatabaseFile : public testing::Test {
  protected:
    SQLite::Database raw() const { return {file_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE}; }
    std::string openingFails() const {
        return errorCode([this] { const Database database(file_); });
    }

    TemporaryDirectory folder_;
    std::filesystem::path file_ = folder_ / "certmgr.db";
};

TEST_F(DatabaseFile, isPrivateDurableAndOurs) {
    testing_support::writeFile(file_, "");
    ASSERT_EQ(::chmod(file_.c_str(), 0644), 0);
    Database database(file_);
    MetaRepository(database).set("a", "b");
    for (const char* suffix : {"", "-wal", "-shm"}) {
        struct stat status {};
        ASSERT_EQ(::stat((file_.string() + suffix).c_str(), &status), 0) << suffix;
        EXPECT_EQ(status.st_mode & 0777, 0600u) << suffix;
    }
    const Database::Guard guard = database.use();
    EXPECT_EQ(guard.connection.execAndGet("PRAGMA journal_mode").getString(), "wal");
    EXPECT_EQ(guard.connection.execAndGet("PRAGMA synchronous").getInt(), 2);
    EXPECT_EQ(guard.connection.execAndGet("PRAGMA foreign_keys").getInt(), 1);
    EXPECT_EQ(guard.connection.execAndGet("PRAGMA user_version").getInt(),
              static_cast<int>(migrations().size()));
}

TEST_F(DatabaseFile, ofAnotherProgramIsLeftAlone) {
    raw().exec("PRAGMA application_id = 7; CREATE TABLE theirs (x)");
    const std::string before = testing_support::readFile(file_);
    EXPECT_EQ(openingFails(), "database-not-ours");
    EXPECT_EQ(testing_support::readFile(file_), before);
    std::filesystem::remove(file_);
    raw().exec("CREATE TABLE theirs (x)");
    EXPECT_EQ(openingFails(), "database-not-ours");
}

TEST_F(DatabaseFile, thatIsNoneIsLeftAlone) {
    testing_support::writeFile(file_, std::string(8192, 'x'));
    EXPECT_EQ(openingFails(), "database-not-ours");
    EXPECT_EQ(testing_support::readFile(file_), std::string(8192, 'x'));
    std::filesystem::remove(file_);
    std::filesystem::create_directory(file_);
    EXPECT_EQ(openingFails(), "database-unreachable");
}

TEST_F(DatabaseFile, inNoFolderIsUnreachable) {
    file_ = folder_ / "absent/certmgr.db";
    EXPECT_EQ(openingFails(), "database-unreachable");
}

TEST_F(DatabaseFile, thatIsDamagedSaysSo) {
    {
        Database database(file_);
        for (char digit : std::string("0123456789abcdef"))
            KeyRepository(database).intend(sampleKey(digit), std::string(2000, 'p'));
    }
    std::string content = testing_support::readFile(file_);
    content.replace(4096, content.size() - 4096, content.size() - 4096, '\x55');
    testing_support::writeFile(file_, content);
    EXPECT_EQ(errorCode([this] {
                  Database database(file_);
                  KeyRepository(database).unreferenced();
              }),
              "database-corrupt");
}

TEST_F(DatabaseFile, thatAnotherHoldsIsLocked) {
    { const Database database(file_); }
    SQLite::Database other = raw();
    other.exec("BEGIN EXCLUSIVE");
    Database database(file_);
    database.use().connection.setBusyTimeout(1);
    EXPECT_EQ(errorCode([&] { MetaRepository(database).set("a", "b"); }), "database-locked");
    other.exec("ROLLBACK");
    MetaRepository(database).set("a", "b");
}

TEST_F(DatabaseFile, ofANewerReleaseStillOpens) {
    {
        Database database(file_);
        MetaRepository(database).set("a", "b");
    }
    raw().exec(
        "ALTER TABLE keys ADD COLUMN later TEXT NOT NULL DEFAULT 'x'; CREATE TABLE newer (x); PRAGMA "
        "user_version = 99");
    Database database(file_);
    EXPECT_EQ(MetaRepository(database).get("a"), "b");
    KeyRepository(database).intend(sampleKey('a'), "purpose");
    EXPECT_EQ(database.use().connection.execAndGet("PRAGMA user_version").getInt(), 99);
}

TEST_F(DatabaseFile, isCopiedBeforeAMigrationAndRestoredByAFailedOne) {
    SQLite::Database connection = raw();
    migrate(connection, file_, migrations().first(1));
    connection.exec("INSERT INTO meta VALUES ('a', 'b')");
    const std::array good{migrations()[0], Migration{"CREATE TABLE second (x)"}};
    const std::array bad{good[0], good[1], Migration{"CREATE TABLE third (x); CREATE TABLE second (x)"}};
    migrate(connection, file_, good);
    EXPECT_THROW(migrate(connection, file_, bad), SQLite::Exception);
    EXPECT_EQ(connection.execAndGet("PRAGMA user_version").getInt(), 2);
    EXPECT_TRUE(connection.tableExists("second"));
    EXPECT_FALSE(connection.tableExists("third"));
    SQLite::Database copy(file_.string() + ".before-2", SQLite::OPEN_READWRITE);
    EXPECT_EQ(copy.execAndGet("PRAGMA user_version").getInt(), 1);
    EXPECT_FALSE(copy.tableExists("second"));
    EXPECT_EQ(copy.execAndGet("SELECT value FROM meta").getString(), "b");
    struct stat status {};
    ASSERT_EQ(::stat((file_.string() + ".before-2").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_FALSE(std::filesystem::exists(file_.string() + ".before-3.new"));
}

class Transaction : public DatabaseFile {
  protected:
    Database database_{file_};
    MetaRepository meta_{database_};
};

TEST_F(Transaction, keepsAllOrNothing) {
    EXPECT_THROW(database_.transaction([&] {
        meta_.set("a", "1");
        meta_.set("b", "1");
        throw std::runtime_error("no");
    }),
                 std::runtime_error);
    EXPECT_FALSE(meta_.get("a"));
    database_.transaction([&] { meta_.set("a", "2"); });
    EXPECT_EQ(meta_.get("a"), "2");
}

TEST_F(Transaction, withinAnotherTakesPartInIt) {
    database_.transaction([&] {
        meta_.set("outer", "1");
        database_.transaction([&] { meta_.set("inner", "1"); });
        EXPECT_THROW(database_.transaction([&] {
            meta_.set("lost", "1");
            throw std::runtime_error("no");
        }),
                     std::runtime_error);
        // A second connection sees nothing of it yet.
        EXPECT_EQ(raw().execAndGet("SELECT count(*) FROM meta").getInt(), 0);
    });
    EXPECT_EQ(meta_.get("outer"), "1");
    EXPECT_EQ(meta_.get("inner"), "1");
    EXPECT_FALSE(meta_.get("lost"));
}

TEST_F(Transaction, ofOtherThreadsWaits) {
    const auto add = [&] {
        for (int i = 0; i < 100; ++i)
            database_.transaction([&] {
                const int value = std::stoi(meta_.get("sum").value_or("0"));
                meta_.set("sum", std::to_string(value + 1));
            });
    };
    { std::jthread one(add), two(add), three(add); }
    EXPECT_EQ(meta_.get("sum"), "300");
}

}  // namespace
}  // namespace certmgr::store
