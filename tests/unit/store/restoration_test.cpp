#include "certmgr/store/restoration.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"
#include "tests/support/child_process.h"
#include "tests/unit/store/fault_vfs.h"
#include "tests/unit/store/samples.h"

namespace certmgr::store {
namespace {

// A state with one certificate, in force and deployed, under so many generations.
std::int64_t fillState(const std::filesystem::path& file, char key, int generations) {
    Database database(file);
    KeyRepository(database).intend(sampleKey(key), "local:gw.example");
    CertificateRepository(database).put(sampleSpec("gw.example"), true);
    CredentialRepository credentials(database);
    std::int64_t newest = 0;
    for (int i = 0; i < generations; ++i)
        newest = credentials.add(sampleCredential("gw.example", sampleKey(key)), sampleTime);
    credentials.setCurrent("gw.example", newest);
    DeploymentRepository(database).put({"web", "gw.example", newest});
    return newest;
}

class Restoration : public testing::Test {
  protected:
    void bringBackup(char key, int generations) {
        std::filesystem::create_directory(pendingRestore(folder_.path()));
        fillState(pendingRestore(folder_.path()) / "certmgr.db", key, generations);
    }

    testing_support::TemporaryDirectory folder_;
    const std::filesystem::path place_ = folder_ / "certmgr.db";
};

TEST_F(Restoration, aCopyIsWholeAndPrivateAndTakesThePlaceOfWhatWasThere) {
    fillState(place_, 'a', 2);
    const std::filesystem::path copy = folder_ / "copy";
    testing_support::writeFile(copy, "something else");
    Database database(place_);
    copyTo(database, copy);
    struct stat status {};
    ASSERT_EQ(::stat(copy.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    Database copied(copy);
    requireWhole(copied);
    EXPECT_EQ(CredentialRepository(copied).current("gw.example")->leaf, sampleSummary());
}

TEST_F(Restoration, withoutABackupThereIsNothingToAdopt) {
    fillState(place_, 'a', 1);
    EXPECT_FALSE(adoptRestored(folder_.path()));
    Database database(place_);
    EXPECT_TRUE(KeyRepository(database).find(sampleKey('a')));
}

TEST_F(Restoration, theStateBeforeLeavesItsKeysAndItsNumbers) {
    const std::int64_t before = fillState(place_, 'a', 7);
    bringBackup('b', 2);
    ASSERT_TRUE(adoptRestored(folder_.path()));
    EXPECT_FALSE(std::filesystem::exists(pendingRestore(folder_.path())));
    Database database(place_);
    KeyRepository keys(database);
    EXPECT_EQ(keys.find(sampleKey('a'))->purpose, replacedKey);
    EXPECT_FALSE(keys.used(sampleKey('a')));
    EXPECT_TRUE(keys.used(sampleKey('b')));
    CredentialRepository credentials(database);
    const Credential current = credentials.current("gw.example").value();
    EXPECT_EQ(current.key, sampleKey('b'));
    EXPECT_GT(current.generation, before);
    EXPECT_TRUE(DeploymentRepository(database).list().empty()) << "the services are brought everything anew";
    EXPECT_GT(credentials.add(sampleCredential("gw.example", sampleKey('b')), sampleTime),
              current.generation);
}

TEST_F(Restoration, anOrderThatMayBeGoneBackToKeepsItsKey) {
    fillState(place_, 'a', 7);
    bringBackup('b', 2);
    {
        Database backup(pendingRestore(folder_.path()) / "certmgr.db");
        KeyRepository(backup).intend(sampleKey('c'), "order:gw.example");
        OrderRepository orders(backup);
        const std::int64_t order = orders.intend(sampleOrder("gw.example", sampleKey('c')));
        orders.sending(order, sampleTime, true, false);
        orders.setState(order, OrderState::created, "https://ca/order/1");
        orders.setState(order, OrderState::abandoned, "another CA is asked now");
    }
    ASSERT_TRUE(adoptRestored(folder_.path()));
    Database database(place_);
    EXPECT_EQ(KeyRepository(database).unreferenced(), std::vector{sampleKey('a')});
}

TEST_F(Restoration, aStateThatCannotBeReadAnyMoreIsReplaced) {
    testing_support::writeFile(place_, std::string(8192, 'x'));
    bringBackup('b', 1);
    ASSERT_TRUE(adoptRestored(folder_.path()));
    Database database(place_);
    EXPECT_EQ(CredentialRepository(database).current("gw.example")->key, sampleKey('b'));
}

// The rename is what counts; what is left of the folder after it goes.
TEST_F(Restoration, afterACrashBehindTheRenameOnlyTheFolderIsLeft) {
    fillState(place_, 'b', 1);
    std::filesystem::create_directory(pendingRestore(folder_.path()));
    EXPECT_FALSE(adoptRestored(folder_.path()));
    EXPECT_FALSE(std::filesystem::exists(pendingRestore(folder_.path())));
    Database database(place_);
    EXPECT_TRUE(CredentialRepository(database).current("gw.example"));
}

constexpr Revocation revocation{sampleTime, RevocationReason::superseded};

// A CA that is known by its SHA-256, and what it issued: serials, and which of them is revoked.
void fillIssued(const std::filesystem::path& file, char sha256, const std::vector<std::string>& serials,
                const std::string& revoked = "") {
    Database database(file);
    AuthorityRecord authority{"issuing-1", AuthorityRole::issuing, sampleKey('c'), "pem",
                              "",          sampleSummary()};
    authority.summary.sha256.assign(64, sha256);
    KeyRepository(database).intend(authority.key, "authority:issuing-1");
    AuthorityRepository(database).add(authority);
    IssuedRepository issued(database);
    for (const std::string& serial : serials) {
        IssuedCertificate certificate;
        certificate.authority = authority.id;
        certificate.summary = sampleSummary();
        certificate.summary.serial = serial;
        issued.add(certificate);
    }
    issued.revoke(revoked, revocation);
}

TEST_F(Restoration, whatWasIssuedAndRevokedSinceTheBackupStaysSo) {
    fillState(place_, 'a', 1);
    fillIssued(place_, '1', {"0a", "0b", "0c"}, "0b");
    bringBackup('b', 1);
    fillIssued(pendingRestore(folder_.path()) / "certmgr.db", '1', {"0a", "0b"}, "0a");
    ASSERT_TRUE(adoptRestored(folder_.path()));
    Database database(place_);
    IssuedRepository issued(database);
    EXPECT_EQ(issued.find("0a")->revocation, revocation) << "of the backup";
    EXPECT_EQ(issued.find("0b")->revocation, revocation);
    ASSERT_TRUE(issued.find("0c"));
    EXPECT_FALSE(issued.find("0c")->revocation);
}

TEST_F(Restoration, whatAnotherBoxIssuedIsNotTakenOver) {
    fillState(place_, 'a', 1);
    fillIssued(place_, '2', {"0c"}, "0c");
    bringBackup('b', 1);
    fillIssued(pendingRestore(folder_.path()) / "certmgr.db", '1', {"0a"});
    ASSERT_TRUE(adoptRestored(folder_.path()));
    Database database(place_);
    EXPECT_EQ(IssuedRepository(database).list(0, 9).size(), 1U);
}

TEST_F(Restoration, whatWasAskedOfACaSinceTheBackupStillCounts) {
    const BucketId orders{LimitKind::orders, "https://ca/1", ""},
        set{LimitKind::certificatesPerSet, "", "gw"};
    const auto put = [](const std::filesystem::path& file, const BucketId& bucket, int used) {
        Database database(file);
        BudgetRepository(database).put("https://ca/dir", bucket, sampleTime + seconds(used));
    };
    put(place_, orders, 9);
    put(place_, set, 4);
    bringBackup('b', 1);
    put(pendingRestore(folder_.path()) / "certmgr.db", orders, 5);
    put(pendingRestore(folder_.path()) / "certmgr.db", set, 7);
    ASSERT_TRUE(adoptRestored(folder_.path()));
    Database database(place_);
    EXPECT_EQ(BudgetRepository(database).list("https://ca/dir"),
              (Buckets{{orders, sampleTime + seconds(9)}, {set, sampleTime + seconds(7)}}));
}

TEST(RestorationSweep, aDiskThatFailsHalfWayCostsNothing) {
    testing_support::FaultVfs disk;
    int faults = 0;
    for (int nth = 1; nth == faults + 1; ++nth) {
        const testing_support::TemporaryDirectory folder;
        fillState(folder / "certmgr.db", 'a', 7);
        std::filesystem::create_directory(pendingRestore(folder.path()));
        fillState(pendingRestore(folder.path()) / "certmgr.db", 'b', 2);
        disk.failFrom(nth, SQLITE_IOERR_WRITE);
        const std::string code = errorCode([&] { adoptRestored(folder.path()); });
        disk.heal();
        if (disk.failed()) ++faults;
        ASSERT_TRUE(code == "none" || code == "database-io") << code << " at fault " << nth;
        adoptRestored(folder.path());
        Database database(folder / "certmgr.db");
        requireWhole(database);
        ASSERT_EQ(CredentialRepository(database).current("gw.example")->key, sampleKey('b')) << nth;
        const auto left = KeyRepository(database).find(sampleKey('a'));
        ASSERT_TRUE(left && left->purpose == replacedKey) << "fault " << nth;
    }
    EXPECT_GT(faults, 20);
}

TEST_F(Restoration, aDatabaseThatDoesThingsByItselfIsRefused) {
    fillState(place_, 'a', 1);
    Database database(place_);
    Query(database, "CREATE TRIGGER t AFTER INSERT ON keys BEGIN DELETE FROM keys; END").run();
    EXPECT_EQ(errorCode([&] { requireWhole(database); }), "backup-damaged");
}

}  // namespace
}  // namespace certmgr::store
