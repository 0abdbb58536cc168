// The state into a backup and back, and what the state before the restore leaves to be cleared away.
#include "certmgr/store/restoration.h"
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class BackupTest : public EngineTest {
  protected:
    BackupTest() { profile.probes.front().timeout = std::chrono::milliseconds(50); }

    static hal::UniqueFd passphrase() { return fileWith("correct horse battery\n"); }

    const JobView& backup() {
        file = hal::UniqueFd(::memfd_create("backup", MFD_CLOEXEC));
        const std::string id = engine->backup({passphrase(), hal::UniqueFd(::dup(file.get()))});
        settle();
        return job(id);
    }

    const JobView& restore(bool dryRun = false) {
        ::lseek(file.get(), 0, SEEK_SET);
        const std::string id = engine->restore({hal::UniqueFd(::dup(file.get())), passphrase(), dryRun});
        settle();
        return job(id);
    }

    // As the daemon does where restartWanted().
    void startRestored() {
        stopEngine();
        database.reset();
        ASSERT_TRUE(store::adoptRestored(folder.path()));
        startEngine();
    }

    void reissue(const CertificateId& id) {
        engine->reissue(id);
        settle();
        runUntil(clock.now() + hours(1));
    }

    KeyId keyInForce(const CertificateId& id) {
        return store::CredentialRepository(*database).current(id).value().key;
    }

    hal::UniqueFd file;
};

TEST_F(BackupTest, OnAnotherBoxIsSaidThatRevocationsAreLost) {
    startEngine();
    ASSERT_EQ(backup().state, "done");
    const std::string here = restore(true).result;
    EXPECT_EQ(here.find("revoke"), std::string::npos) << here;
    stopEngine();
    database.reset();
    std::filesystem::remove(folder / "certmgr.db");
    startEngine();
    const std::string elsewhere = restore(true).result;
    EXPECT_NE(elsewhere.find("revoke that again"), std::string::npos) << elsewhere;
}

TEST_F(BackupTest, ASecondRestoreBeforeTheRestartIsRefused) {
    startEngine();
    ASSERT_EQ(backup().state, "done");
    ASSERT_EQ(restore().state, "done");
    EXPECT_EQ(restore(true).state, "done");
    const JobView& second = restore();
    EXPECT_EQ(second.errorCode, "restore-pending") << second.error;
    startRestored();
    EXPECT_EQ(restore().state, "done");
}

TEST_F(BackupTest, ADamagedKeyHoldsUpNoBackupAndNoRestore) {
    startEngine();
    const std::string whole = backup().result;
    const KeyId damaged = keyInForce("gw.example.com");
    keys.damage(damaged);
    EXPECT_EQ(restore().state, "done");
    EXPECT_TRUE(keys.find(damaged)) << "it was in the backup";

    keys.damage(damaged);
    const JobView& partly = backup();
    ASSERT_EQ(partly.state, "done") << partly.error;
    EXPECT_NE(partly.result, whole);
    EXPECT_NE(partly.result.find("left out, being damaged, to be made anew there too:\n"
                                 "- key and certificate of gw.example.com"),
              std::string::npos)
        << partly.result;
}

TEST_F(BackupTest, AKeyInTheTpmOfThisBoxIsMissedOnlyElsewhere) {
    keys.setTpm(true);
    settings.keyPolicy = hal::KeyPolicy::tpm;
    startEngine();
    const std::string made = backup().result;
    EXPECT_NE(made.find("bound to the TPM of this box"), std::string::npos) << made;
    const std::string here = restore(true).result;
    EXPECT_EQ(here.find("made anew"), std::string::npos) << here;
    for (const hal::KeyInfo& key : keys.list()) keys.destroy(key.id);
    const std::string elsewhere = restore(true).result;
    EXPECT_NE(elsewhere.find("made anew"), std::string::npos) << elsewhere;
}

TEST_F(BackupTest, AKeyOfTheStateBeforeStaysUntilItsServiceHasAnotherOne) {
    startEngine();
    ASSERT_EQ(backup().state, "done");
    reissue("gw.example.com");
    const KeyId served = keyInForce("gw.example.com");
    ASSERT_EQ(restore().state, "done");
    service->set(testing_support::FakeService::Mood::ignoresReload);
    startRestored();
    ASSERT_NE(keyInForce("gw.example.com"), served);
    runUntil(clock.now() + hours(2));
    EXPECT_NE(view("gw.example.com").proof, "proved");
    EXPECT_TRUE(keys.find(served)) << "the service goes on with it";

    service->set(testing_support::FakeService::Mood::good);
    runUntil(clock.now() + hours(48));
    EXPECT_EQ(view("gw.example.com").proof, "proved");
    EXPECT_FALSE(keys.find(served));
    EXPECT_FALSE(store::KeyRepository(*database).find(served));
}

}  // namespace
}  // namespace certmgr::engine
