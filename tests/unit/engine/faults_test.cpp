// What goes wrong around the engine: clocks, lost keys, a database that says no.
#include <semaphore>

#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::hours;

class FaultsTest : public EngineTest {
  protected:
    // Another connection to the database, as an administrator's shell would have it.
    void sql(const std::string& statement) {
        SQLite::Database(folder / "certmgr.db", SQLite::OPEN_READWRITE, 5000).exec(statement);
    }
    KeyId keyInForce(const CertificateId& id) {
        return store::CredentialRepository(*database).current(id).value().key;
    }
    bool validNow(const CertificateId& id) {
        const auto now = static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
        return view(id).notBefore <= now && now < view(id).notAfter;
    }
};

TEST_F(FaultsTest, ACaMadeByAClockInTheFutureIsReplacedWhenTheClockIsRight) {
    ca.setDown(true);
    clock.set(start + hours(24 * 365 * 20));
    clock.distrust("not synchronised");
    startEngine();
    EXPECT_EQ(view("gw.example.com").state, "local");

    clock.set(start);
    clock.trustAgain();
    engine->review();
    settle();
    EXPECT_TRUE(validNow("gw.example.com"));
    EXPECT_EQ(service->servedLeaf({Identifier::Type::dns, "gw.example.com"}), view("gw.example.com").sha256);
    ca.setDown(false);
    runUntil(start + hours(1));
    EXPECT_EQ(view("gw.example.com").state, "acme");
}

TEST_F(FaultsTest, OnASlowClockTheCertificateOfTheCaIsFetchedAgainAndNotOrderedAgain) {
    ca.setAhead(hours(2));
    startEngine();
    EXPECT_EQ(view("gw.example.com").state, "local");
    EXPECT_NE(view("gw.example.com").lastError.str().find("the clock of the box says"), std::string::npos)
        << view("gw.example.com").lastError;
    runUntil(start + hours(1));
    EXPECT_EQ(view("gw.example.com").state, "local");
    runUntil(start + hours(48));
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(ca.ordersMade(), 1);
}

TEST_F(FaultsTest, ACertificateWhoseKeyIsGoneIsReplacedAndHoldsUpNoOther) {
    profile.certificates.push_back(specFor("other.example.com"));
    startEngine();
    const KeyId lost = keyInForce("gw.example.com");
    keys.destroy(lost);
    startEngine();
    runUntil(start + hours(1));
    EXPECT_NE(keyInForce("gw.example.com"), lost);
    for (const char* id : {"gw.example.com", "other.example.com"}) {
        EXPECT_EQ(view(id).state, "acme") << id;
        EXPECT_EQ(view(id).proof, "proved") << id;
    }
    EXPECT_EQ(ca.ordersMade(), 3);
}

TEST_F(FaultsTest, ACaWhoseKeysAreGoneIsMadeAnew) {
    ca.setDown(true);
    startEngine();
    store::AuthorityRepository authorities(*database);
    for (const AuthorityRecord& authority : authorities.list()) keys.destroy(authority.key);
    startEngine();
    EXPECT_TRUE(log.contains("is no longer in the key store"));
    const std::string request = engine->request({{"new.example.com"}, "", "", false});
    settle();
    EXPECT_EQ(job(request).state, "done") << job(request).error;
    EXPECT_EQ(view("gw.example.com").proof, "proved");
}

TEST_F(FaultsTest, RootsThatCouldNotSignEachOtherDoSoWhenTheDiskIsWellAgain) {
    startEngine();
    sql("CREATE TRIGGER no BEFORE INSERT ON cross_certificates BEGIN SELECT RAISE(ABORT, 'full'); END");
    engine->generateAuthority("CN=Next root", 1000);
    settle();
    sql("DROP TRIGGER no");
    engine->review();
    settle();
    EXPECT_EQ(store::AuthorityRepository(*database).crossCertificates().size(), 2U);
}

TEST_F(FaultsTest, AReissueThatCannotBeDoneLeavesTheCertificateOfTheCaInForce) {
    startEngine();
    const std::string leaf = view("gw.example.com").sha256;
    const std::size_t before = keys.list().size();
    settings.acmeEnabled = false;
    startEngine();
    const std::string reissue = engine->reissue("gw.example.com");
    settle();
    EXPECT_EQ(job(reissue).state, "failed");
    EXPECT_NE(job(reissue).error.find("switched off"), std::string::npos) << job(reissue).error;
    EXPECT_EQ(view("gw.example.com").sha256, leaf);
    EXPECT_EQ(keys.list().size(), before);
}

TEST_F(FaultsTest, ACertificateWhoseKeyCannotBeMadeIsShownWithTheReason) {
    startEngine();
    const std::string request = engine->request({{"vpn.example.com"}, "", "tpm", true});
    settle();
    EXPECT_EQ(job(request).state, "failed");
    EXPECT_EQ(view("vpn.example.com").state, "none");
    EXPECT_NE(view("vpn.example.com").lastError, "");
}

TEST_F(FaultsTest, ADeletionThatFailsSaysSoAndTheCertificateStays) {
    startEngine();
    engine->request({{"extra.example.com"}, "", "", true});
    settle();
    sql("CREATE TRIGGER no BEFORE DELETE ON certificates BEGIN SELECT RAISE(ABORT, 'the disk says no'); END");
    const std::string failed = engine->remove("extra.example.com");
    settle();
    EXPECT_EQ(job(failed).state, "failed");
    EXPECT_NE(job(failed).error.find("the disk says no"), std::string::npos) << job(failed).error;
    EXPECT_EQ(view("extra.example.com").state, "acme");

    sql("DROP TRIGGER no");
    const std::string done = engine->remove("extra.example.com");
    settle();
    EXPECT_EQ(job(done).state, "done") << job(done).error;
    EXPECT_FALSE(views->certificates().contains("extra.example.com"));
}

TEST_F(FaultsTest, ADatabaseThatSaysNoFailsTheJobAndTheEngineGoesOn) {
    ca.setDown(true);
    startEngine();
    for (const char* table : {"certificates", "orders", "deployments", "credentials", "keys"}) {
        for (const char* event : {"INSERT", "UPDATE"})
            sql(std::string("CREATE TRIGGER no_") + table + "_" + event + " BEFORE " + event + " ON " +
                table + " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
    }
    const std::string request = engine->request({{"extra.example.com"}, "", "", true});
    const std::string reissue = engine->reissue("gw.example.com");
    settle();
    EXPECT_EQ(job(request).state, "failed");
    EXPECT_EQ(job(reissue).state, "failed");
    EXPECT_NE(job(reissue).error.find("the disk is full"), std::string::npos) << job(reissue).error;
    runUntil(clock.now() + hours(2));

    for (const char* table : {"certificates", "orders", "deployments", "credentials", "keys"})
        for (const char* event : {"INSERT", "UPDATE"})
            sql(std::string("DROP TRIGGER no_") + table + "_" + event);
    ca.setDown(false);
    runUntil(clock.now() + hours(48));
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(view("gw.example.com").proof, "proved");
}

TEST_F(FaultsTest, AServiceThatWasNeverProvedIsNotReloadedForEver) {
    profile.probes.front().timeout = std::chrono::milliseconds(50);
    service = std::make_unique<testing_support::FakeService>(generations, profile);
    service->set(testing_support::FakeService::Mood::ignoresReload);
    startEngine();
    runUntil(start + hours(24));
    EXPECT_LT(service->reloads(), 60);
}

TEST_F(FaultsTest, ACommandThatComesBeforeTheStartIsDoneAfterIt) {
    launchEngine();
    const std::string request = engine->request({{"early.example.com"}, "", "", true});
    settle();
    EXPECT_EQ(job(request).state, "done") << job(request).error;
    EXPECT_EQ(view("early.example.com").state, "acme");
}

}  // namespace
}  // namespace certmgr::engine
