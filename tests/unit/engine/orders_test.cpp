// Orders that come to nothing: they are on record, and leave no key behind.
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

std::uint64_t epoch(TimePoint time) {
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

TEST_F(EngineTest, ALostOrderIsShownWithItsTime) {
    ca.loseNextOrder();
    startEngine();
    EXPECT_EQ(view("gw.example.com").state, "local");
    EXPECT_EQ(view("gw.example.com").lostOrders, 0u) << "it may still be found in the account's list";
    runUntil(start + std::chrono::hours(1));
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(view("gw.example.com").lostOrders, 1u);
    EXPECT_EQ(view("gw.example.com").lastLostOrder, epoch(start));
    EXPECT_EQ(view("gw.example.com").abandonedOrders, 0u);
}

TEST_F(EngineTest, AnOrderThatIsRefusedIsShownAndGivesItsKeyBack) {
    startEngine();
    const std::size_t inUse = keys.list().size();
    ca.setRefusing(true);
    for (unsigned attempt = 1; attempt <= 3; ++attempt) {
        engine->reissue("gw.example.com");
        settle();
        EXPECT_EQ(view("gw.example.com").abandonedOrders, attempt);
        EXPECT_EQ(keys.list().size(), inUse) << "the key of the refused order is destroyed";
    }
    EXPECT_EQ(view("gw.example.com").lastAbandonedOrder, epoch(clock.now()));
}

TEST_F(EngineTest, ADeletedCertificateGivesItsKeysBack) {
    startEngine();
    const std::size_t inUse = keys.list().size();
    engine->request({{"extra.example.com"}, "", "", true});
    settle();
    EXPECT_GT(keys.list().size(), inUse);
    engine->remove("extra.example.com");
    settle();
    EXPECT_EQ(keys.list().size(), inUse);
}

TEST_F(EngineTest, ACertificateThatIsDeletedBeforeItsOrderSucceedsGivesItsKeysBack) {
    startEngine();
    const std::size_t inUse = keys.list().size();
    ca.loseNextOrder();
    engine->request({{"extra.example.com"}, "", "", true});
    settle();
    engine->remove("extra.example.com");
    settle();
    EXPECT_EQ(keys.list().size(), inUse);
}

TEST_F(EngineTest, TheCaIsToldOfOtherContactsOnce) {
    settings.cas[0].contacts = {"mailto:old@example.com"};
    startEngine();
    EXPECT_EQ(ca.contacts(), settings.cas[0].contacts);
    settings.cas[0].contacts = {"mailto:new@example.com"};
    for (int restart = 0; restart < 3; ++restart) {
        startEngine();
        engine->reissue("gw.example.com");
        settle();
    }
    EXPECT_EQ(ca.contacts(), settings.cas[0].contacts);
    EXPECT_EQ(ca.contactUpdates(), 1);
    EXPECT_EQ(ca.accountsMade(), 1);
}

TEST_F(EngineTest, ContactsThatTheCaRefusesEndNothing) {
    startEngine();
    settings.cas[0].contacts = {"mailto:admin@localhost"};
    ca.answerAt(
        "/account/1",
        net::HttpResponse{
            400,
            {{"content-type", "application/problem+json"}},
            R"({"type": "urn:ietf:params:acme:error:invalidContact", "detail": "localhost is no public name"})"});
    startEngine();
    engine->reissue("gw.example.com");
    settle();
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_EQ(view("gw.example.com").lastError, "");
    EXPECT_EQ(log.count("localhost is no public name"), 1);
}

TEST_F(EngineTest, TheNextCaIsAskedWhenTheFirstFailsTwiceAndTheFirstAgainAtTheRenewal) {
    settings.cas.push_back({"second", ca.directory, "", {}, true});
    ca.setRefusing(true);
    startEngine();
    EXPECT_EQ(secondCa.ordersMade(), 0) << "one failure may pass";
    runUntil(start + std::chrono::hours(1));
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_EQ(secondCa.ordersMade(), 1);
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(store::CredentialRepository(*database).current("gw.example.com")->issuerId, "second");
    ca.setRefusing(false);
    runUntil(start + std::chrono::hours(24 * 70));
    EXPECT_EQ(store::CredentialRepository(*database).current("gw.example.com")->issuerId, "fake");
    EXPECT_EQ(secondCa.ordersMade(), 1);
}

TEST_F(EngineTest, AnOrderThatHangsAtTheFirstCaDoesNotHoldUpTheSecond) {
    settings.cas.push_back({"second", ca.directory, "", {}, true});
    ca.loseNextOrder();
    startEngine();
    ca.setDown(true);
    runUntil(start + std::chrono::hours(1));
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(view("gw.example.com").lostOrders, 1u) << "the first CA may have it";
    EXPECT_TRUE(store::KeyRepository(*database).unreferenced().empty())
        << "the key of the order is destroyed";
}

TEST_F(EngineTest, ACaThatAsksToWaitForAMomentIsNotPassedOver) {
    settings.cas.push_back({"second", secondCa.directory, "", {}, true});
    ca.refuseOrders({"serverInternal", "Service busy; retry later.", 503, 1});
    startEngine();
    ca.refuseOrders({});
    runUntil(start + std::chrono::hours(1));
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(ca.ordersMade(), 1);
    EXPECT_EQ(secondCa.ordersMade(), 0);
}

TEST_F(EngineTest, TheUsersOfAProfileThatChangeAmidAnOrderMayUseItsKey) {
    ca.loseNextOrder();
    startEngine();
    profile.certificates[0].users = {"www-data", "proxy"};
    startEngine();
    runUntil(start + std::chrono::hours(1));
    ASSERT_EQ(view("gw.example.com").state, "acme");
    const KeyId key = store::CredentialRepository(*database).current("gw.example.com")->key;
    EXPECT_EQ(keys.find(key)->access.users, (std::vector<std::string>{"proxy", "www-data"}));
}

TEST_F(EngineTest, AnOrderIsOfTheDirectoryThatItWasPlacedAt) {
    ca.loseNextOrder();
    startEngine();
    settings.cas[0].directory = "https://acme.test/v2/directory";
    startEngine();
    runUntil(start + std::chrono::hours(1));
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(view("gw.example.com").lostOrders, 1u) << "the other CA cannot know of it";
    EXPECT_EQ(ca.accountsMade(), 2);
}

TEST_F(EngineTest, AProfileThatTheCaHasNotIsToldOfOnceAndShown) {
    ca.offerProfiles({{"classic", std::chrono::hours(24 * 90)}});
    settings.cas[0].profile = {"shortlived", false};
    startEngine();
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(view("gw.example.com").acmeProfile, "");
    const std::string reason = view("gw.example.com").acmeProfileReason;
    EXPECT_NE(reason.find("no profile \"shortlived\": it offers \"classic\""), std::string::npos) << reason;
    startEngine();
    engine->reissue("gw.example.com");
    settle();
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_EQ(log.count("no profile \"shortlived\""), 1);
    EXPECT_EQ(view("gw.example.com").acmeProfileReason, reason) << "of the second one too";
}

TEST_F(EngineTest, AProfileThatIsRequiredAndNotOfferedCostsNoOrder) {
    ca.offerProfiles({{"classic", std::chrono::hours(24 * 90)}});
    profile.certificates[0].acmeProfile = {"shortlived", true};
    startEngine();
    EXPECT_EQ(view("gw.example.com").state, "local");
    EXPECT_NE(view("gw.example.com").lastError.str().find("it offers \"classic\""), std::string::npos)
        << view("gw.example.com").lastError;
    EXPECT_EQ(ca.ordersMade() + ca.accountsMade(), 0);
    ca.offerProfiles({{"shortlived", std::chrono::hours(160)}});
    runUntil(start + std::chrono::minutes(2));
    EXPECT_EQ(view("gw.example.com").acmeProfile, "shortlived") << view("gw.example.com").lastError;
}

TEST_F(EngineTest, TheProfileOfTheCertificateTakesThePlaceOfTheCas) {
    ca.offerProfiles({{"classic", std::chrono::hours(24 * 90)}, {"shortlived", std::chrono::hours(160)}});
    settings.cas[0].profile = {"classic", true};
    startEngine();
    EXPECT_EQ(view("gw.example.com").acmeProfile, "classic");
    engine->request({{"extra.example.com"}, "", "", true, {"shortlived", false}});
    settle();
    EXPECT_EQ(view("extra.example.com").acmeProfile, "shortlived");
    EXPECT_EQ(ca.profilesAsked(), (std::vector<std::string>{"classic", "shortlived"}));
}

TEST_F(EngineTest, AnAddressIsOrderedUnderTheProfileThatTheCaHasForThem) {
    settings.cas[0].addressProfile.name = "shortlived";
    ca.offerProfiles({{"shortlived", std::chrono::hours(160)}});
    profile.certificates.push_back(specFor("192.0.2.7"));
    startEngine();
    EXPECT_EQ(view("192.0.2.7").acmeProfile, "shortlived") << view("192.0.2.7").lastError;
    EXPECT_EQ(view("gw.example.com").acmeProfile, "");
}

TEST_F(EngineTest, AnOrderUnderAProfileThatIsNotWantedAnyMoreIsGivenUp) {
    ca.offerProfiles({{"classic", std::chrono::hours(24 * 90)}, {"shortlived", std::chrono::hours(160)}});
    settings.cas[0].profile = {"classic", false};
    ca.loseNextOrder();
    startEngine();
    settings.cas[0].profile = {"shortlived", true};
    startEngine();
    runUntil(start + std::chrono::hours(1));
    EXPECT_EQ(view("gw.example.com").acmeProfile, "shortlived");
    EXPECT_EQ(view("gw.example.com").lostOrders, 1u) << "nobody looks for it";
}

TEST_F(EngineTest, TheChainThatIsPreferredIsServedAndTheReasonShown) {
    const TimePoint late = start + std::chrono::hours(24 * 3650);
    ca.giveChains({{"Old Root", late}, {"New Root", late}});
    settings.cas[0].preferredChain = "New Root";
    startEngine();
    EXPECT_EQ(view("gw.example.com").chainReason,
              "alternate chain 1 of the CA, to \"New Root\", which is preferred");
    profile.certificates[0].preferredChain = "Old Root";
    startEngine();
    engine->reissue("gw.example.com");
    settle();
    EXPECT_EQ(view("gw.example.com").chainReason,
              "the first chain of the CA, to \"Old Root\", which is preferred");
}

TEST_F(EngineTest, WithoutAValidChainTheLocalOneStaysAndTheOrderToo) {
    ca.giveChains({{"Old Root", start - std::chrono::hours(1)}});
    startEngine();
    EXPECT_EQ(view("gw.example.com").state, "local");
    EXPECT_NE(view("gw.example.com").lastError.str().find("no chain of the CA is valid now"),
              std::string::npos);
    ca.giveChains({{"New Root", start + std::chrono::hours(24 * 3650)}});
    runUntil(start + std::chrono::hours(1));
    EXPECT_EQ(view("gw.example.com").state, "acme");
    EXPECT_EQ(ca.ordersMade(), 1);
}

TEST_F(EngineTest, AnAccountWhoseKeyIsGoneIsMadeAnew) {
    startEngine();
    const std::string leaf = view("gw.example.com").sha256;
    for (int accounts = 2; accounts <= 3; ++accounts) {
        const auto account = store::AccountRepository(*database).find("fake", ca.directory);
        keys.destroy(account.value().key);
        if (accounts == 3) startEngine();
        EXPECT_EQ(view("gw.example.com").state, "acme") << "the certificate does not need the account";
        engine->reissue("gw.example.com");
        settle();
        EXPECT_EQ(ca.accountsMade(), accounts);
        EXPECT_EQ(view("gw.example.com").lastError, "");
    }
    EXPECT_TRUE(log.contains("the key of the account at fake"));
    EXPECT_NE(view("gw.example.com").sha256, leaf);
}

TEST_F(EngineTest, OneThatIsDatedFromTheBeginningOfTheDayTakesThePlaceOfAnEarlierOne) {
    startEngine();
    const std::string before = view("gw.example.com").serial;
    ca.setAhead(-std::chrono::hours(12));
    engine->reissue("gw.example.com");
    settle();
    EXPECT_NE(view("gw.example.com").serial, before);
    EXPECT_EQ(view("gw.example.com").lastError, "");
    EXPECT_EQ(ca.ordersMade(), 2);
    runUntil(start + day);
    EXPECT_EQ(ca.ordersMade(), 2);
}

TEST_F(EngineTest, AnOrderThatWasNeverSentGoesOutWithTheKeyThatIsWantedNow) {
    ca.setDown(true);
    startEngine();
    profile.certificates.front().keyAlgorithm = hal::KeyAlgorithm::rsa2048;
    ca.setDown(false);
    startEngine();
    engine->reissue("gw.example.com");
    settle();
    EXPECT_EQ(view("gw.example.com").keyAlgorithm, "rsa-2048");
    EXPECT_EQ(ca.ordersMade(), 1);
}

TEST_F(EngineTest, WithoutAServiceTheKeysOfRenewedCertificatesGoToo) {
    startEngine();
    engine->request({{"extra.example.com"}, "", "", true});
    settle();
    const std::size_t before = keys.list().size();
    for (int renewals = 0; renewals < 4; ++renewals) {
        engine->reissue("extra.example.com");
        settle();
    }
    EXPECT_LE(keys.list().size(), before + 1);
}

TEST_F(EngineTest, ALeafWithoutItsIssuerIsNotTaken) {
    settings.systemTrustFile = folder / "trust.pem";
    ca.setSendingLeavesAlone(true);
    startEngine();
    EXPECT_EQ(view("gw.example.com").state, "local");
    EXPECT_NE(view("gw.example.com").lastError.str().find("without that of its issuer"), std::string::npos);
    testing_support::writeFile(settings.systemTrustFile, ca.rootPem());  // which signs leaves itself
    runUntil(start + day);
    EXPECT_EQ(view("gw.example.com").state, "acme") << view("gw.example.com").lastError;
    EXPECT_EQ(ca.ordersMade(), 1);
}

}  // namespace
}  // namespace certmgr::engine
