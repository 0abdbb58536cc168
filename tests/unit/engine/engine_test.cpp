#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::hours;
using testing_support::FakeService;

const Identifier gateway{Identifier::Type::dns, "gw.example.com"};

TEST_F(EngineTest, FirstALocalCertificateThenTheOneOfTheCaBothProved) {
    ca.setDown(true);
    startEngine();
    EXPECT_EQ(view("gw.example.com").state, "local");
    EXPECT_EQ(view("gw.example.com").proof, "proved");
    EXPECT_NE(view("gw.example.com").lastError, "");
    EXPECT_NE(view("gw.example.com").nextAttempt, 0u);

    ca.setDown(false);
    runUntil(start + hours(1));
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(view("gw.example.com").proof, "proved");
    EXPECT_EQ(view("gw.example.com").lastError, "");
    EXPECT_EQ(service->servedLeaf(gateway), view("gw.example.com").sha256);
}

TEST_F(EngineTest, AManualRetryIsMadeAtOnceAndItsFailureReachesTheOneWhoAsked) {
    ca.setDown(true);
    startEngine();
    const std::string failed = engine->reissue("gw.example.com");
    settle();
    EXPECT_EQ(job(failed).state, "failed");
    EXPECT_NE(job(failed).error.find("connection refused"), std::string::npos) << job(failed).error;
    EXPECT_EQ(view("gw.example.com").state, "local");

    ca.setDown(false);
    const std::string done = engine->reissue("gw.example.com");
    settle();
    EXPECT_EQ(job(done).state, "done") << job(done).error;
    EXPECT_EQ(view("gw.example.com").state, "acme");
}

TEST_F(EngineTest, AFailedRenewalNeverTakesTheWorkingCertificateAway) {
    startEngine();
    const std::string working = service->servedLeaf(gateway);
    ca.setDown(true);
    engine->reissue("gw.example.com");
    settle();
    runUntil(start + hours(24 * 80));
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(service->servedLeaf(gateway), working);
}

TEST_F(EngineTest, NoServiceEverShowsAnExpiredCertificateThoughTheCaIsGoneForGood) {
    startEngine();
    ca.setDown(true);
    for (int day = 1; day <= 200; ++day) {
        runUntil(start + hours(24 * day));
        ASSERT_GT(view("gw.example.com").notAfter,
                  static_cast<std::uint64_t>(clock.now().time_since_epoch().count()));
        ASSERT_EQ(service->servedLeaf(gateway), view("gw.example.com").sha256);
    }
    EXPECT_EQ(view("gw.example.com").state, "local");
}

TEST_F(EngineTest, TenYearsOfRenewals) {
    CertificateSpec local = specFor("nas.local");
    local.acme = false;
    profile.certificates.push_back(local);
    startEngine();
    for (int week = 1; week <= 10 * 52; ++week) {
        ca.setDown(week % 9 == 0);  // a week without a CA now and then
        runUntil(start + hours(24 * 7 * week));
        for (const auto& [id, shown] : views->certificates()) {
            ASSERT_GT(shown.notAfter, static_cast<std::uint64_t>(clock.now().time_since_epoch().count()))
                << id;
            ASSERT_EQ(shown.proof, "proved") << id;
        }
        ASSERT_EQ(view("gw.example.com").state, "acme");
        ASSERT_EQ(view("nas.local").state, "local");
    }
    // One order for two thirds of 90 days, a little later where the CA was away for a week.
    EXPECT_GE(ca.ordersMade(), 10 * 365 / 67);
    EXPECT_LE(ca.ordersMade(), 10 * 365 / 58);
    EXPECT_EQ(ca.accountsMade(), 1);
    // Old keys go with their generations: what is left belongs to what can still be served.
    EXPECT_LE(keys.list().size(), 24u);
}

TEST_F(EngineTest, ARestartAsksTheCaForNothing) {
    startEngine();
    const std::string leaf = view("gw.example.com").sha256;
    for (int restart = 0; restart < 3; ++restart) startEngine();
    EXPECT_EQ(ca.ordersMade(), 1);
    EXPECT_EQ(ca.accountsMade(), 1);
    EXPECT_EQ(view("gw.example.com").sha256, leaf);
    EXPECT_EQ(view("gw.example.com").proof, "proved");
}

// The lanes of issue and deployment begin together.
TEST_F(EngineTest, WhatExpiredMeanwhileDoesNotTakeThePlaceOfWhatIsServed) {
    profile.probes.front().timeout = std::chrono::milliseconds(50);
    startEngine();
    service->set(FakeService::Mood::ignoresReload);
    engine->reissue("gw.example.com");
    settle();
    ASSERT_EQ(view("gw.example.com").proof, "rolled-back");
    const std::int64_t expired = view("gw.example.com").generation;
    stopEngine();
    service->set(FakeService::Mood::good);
    clock.advance(std::chrono::hours(24 * 100));
    std::atomic<bool> shown = false;
    service->onLook = [&] { shown = shown || generations.active("web", "gw.example.com") == expired; };
    startEngine();
    EXPECT_FALSE(shown);
    EXPECT_NE(view("gw.example.com").generation, expired);
    EXPECT_EQ(view("gw.example.com").proof, "proved");
}

TEST_F(EngineTest, AServiceThatIgnoresItsReloadKeepsTheOldCertificateAndSaysSo) {
    startEngine();
    const std::string old = service->servedLeaf(gateway);
    profile.probes.front().timeout = std::chrono::milliseconds(50);
    startEngine();
    service->set(FakeService::Mood::ignoresReload);
    engine->reissue("gw.example.com");
    settle();
    EXPECT_EQ(view("gw.example.com").proof, "rolled-back");
    EXPECT_EQ(service->servedLeaf(gateway), old);
    EXPECT_EQ(generations.chainSha256("web", "gw.example.com", *generations.active("web", "gw.example.com"))
                  .front(),
              old);

    service->set(FakeService::Mood::good);
    runUntil(clock.now() + hours(1));
    EXPECT_EQ(view("gw.example.com").proof, "proved");
    EXPECT_NE(service->servedLeaf(gateway), old);
}

TEST_F(EngineTest, AServiceThatIsDownIsProvedAtItsStart) {
    profile.probes.front().timeout = std::chrono::milliseconds(50);
    ca.setDown(true);
    service = std::make_unique<FakeService>(generations, profile);
    service->set(FakeService::Mood::down);
    startEngine();
    EXPECT_EQ(view("gw.example.com").proof, "waiting");
    service->set(FakeService::Mood::good);
    service->reload({});  // it starts, and reads its files
    runUntil(clock.now() + std::chrono::minutes(2));
    EXPECT_EQ(view("gw.example.com").proof, "proved");
}

TEST_F(EngineTest, ARequestedNameIsIssuedAndDeletedAgain) {
    startEngine();
    const std::string request = engine->request({{"extra.example.com"}, "", "", true});
    settle();
    EXPECT_EQ(job(request).state, "done") << job(request).error;
    EXPECT_EQ(view("extra.example.com").state, "acme");
    EXPECT_THROW(engine->remove("gw.example.com"), Error);
    const std::string deletion = engine->remove("extra.example.com");
    settle();
    EXPECT_EQ(job(deletion).state, "done") << job(deletion).error;
    EXPECT_FALSE(views->certificates().contains("extra.example.com"));
    startEngine();
    EXPECT_FALSE(views->certificates().contains("extra.example.com"));
}

TEST_F(EngineTest, BadRequestsAreRefusedAtOnceAndChangeNothing) {
    startEngine();
    for (const std::vector<std::string>& names :
         std::vector<std::vector<std::string>>{{},
                                               {""},
                                               {"bücher.example"},
                                               {std::string(300, 'a') + ".example"},
                                               {"a..example"},
                                               {"two words.example"}})
        EXPECT_THROW(engine->request({names, "", "", true}), Error);
    EXPECT_THROW(engine->request({{"a.example.com"}, "dsa-1024", "", true}), Error);
    EXPECT_THROW(engine->request({{"a.example.com"}, "", "cloud", true}), Error);
    EXPECT_THROW(engine->request({{"gw.example.com"}, "", "", true}), Error);
    EXPECT_THROW(engine->reissue("nobody.example.com"), Error);
    EXPECT_THROW(engine->check("nothing"), Error);
    EXPECT_TRUE(views->jobs().empty());
    EXPECT_EQ(views->certificates().size(), 1u);
}

TEST_F(EngineTest, TheUsersOfAProfileAreThoseWhoMaySign) {
    const auto usersOfTheKeyInForce = [this] {
        const auto credential = store::CredentialRepository(*database).current("gw.example.com");
        return keys.find(credential.value().key).value().access.users;
    };
    using Users = std::vector<std::string>;
    for (const Users& users : {Users{"www-data"}, Users{"proxy", "www-data"}, Users{"proxy"}, Users{}}) {
        profile.certificates.front().users = users;
        startEngine();
        EXPECT_EQ(usersOfTheKeyInForce(), users);
    }
    EXPECT_EQ(ca.ordersMade(), 1) << "and nothing is issued for that";
}

TEST_F(EngineTest, OnAnUntrustedClockNothingIsJudgedAndTheServiceStillGetsACertificate) {
    clock.distrust("before the build date");
    startEngine();
    EXPECT_EQ(view("gw.example.com").state, "local");
    EXPECT_EQ(ca.ordersMade(), 0);
    clock.trustAgain();
    runUntil(clock.now() + hours(1));
    EXPECT_EQ(view("gw.example.com").state, "acme");
}

}  // namespace
}  // namespace certmgr::engine
