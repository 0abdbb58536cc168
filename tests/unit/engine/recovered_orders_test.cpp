// "alreadyReplaced": the order that has done so is found, whichever key of ours its certificate is for.
#include "certmgr/store/restoration.h"
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::hours;

constexpr const char* recoveredId = "gw.example.com";

class RecoveredOrdersTest : public EngineTest {
  protected:
    Credential inForce() { return store::CredentialRepository(*database).current(recoveredId).value(); }
    void reissue() {
        engine->reissue(recoveredId);
        settle();
    }
    // A renewal that the state does not know of any more. Returns its certificate.
    Credential renewAndRestore() {
        ca.suggestRenewal(RenewalWindow{start + 50 * day, start + 51 * day});
        ca.setListingOrders(true);
        startEngine();
        std::filesystem::create_directory(folder / "restored");
        store::copyTo(*database, folder / "restored/certmgr.db");
        reissue();
        Credential renewed = inForce();
        stopEngine();
        database.reset();
        EXPECT_TRUE(store::adoptRestored(folder.path()));
        ca.setRefusingReplaces("alreadyReplaced");
        startEngine();
        EXPECT_NE(inForce().leaf.sha256, renewed.leaf.sha256);
        return renewed;
    }
};

TEST_F(RecoveredOrdersTest, ARestoredBackupGetsWhatWasIssuedSinceWhileItsKeyIsThere) {
    const Credential renewed = renewAndRestore();
    reissue();
    EXPECT_EQ(inForce().leaf.sha256, renewed.leaf.sha256);
    EXPECT_EQ(inForce().key, renewed.key);
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_EQ(view(recoveredId).keyBackend, "file");
    runUntil(clock.now() + hours(1));
    EXPECT_TRUE(keys.find(renewed.key)) << "it is none of the state before any more";
    EXPECT_TRUE(store::KeyRepository(*database).unreferenced().empty());
}

TEST_F(RecoveredOrdersTest, NotWithAKeyThatWasToBeRevoked) {
    const Credential renewed = renewAndRestore();
    store::AcmeRevocationRepository revocations(*database);
    store::AcmeRevocationRow row;
    row.certificate = recoveredId;
    row.ca = "fake";
    row.key = renewed.key;
    row.leaf = renewed.leaf;
    row.reason = RevocationReason::keyCompromise;
    revocations.ask(row);
    revocations.ended(1, AcmeRevocationState::refused, "not yours");
    reissue();
    EXPECT_NE(inForce().key, renewed.key);
    EXPECT_EQ(ca.ordersMade(), 3);
    EXPECT_EQ(view(recoveredId).lastError, "");
}

TEST_F(RecoveredOrdersTest, NorWithOneOfAnotherKindThanIsAskedForNow) {
    const Credential renewed = renewAndRestore();
    profile.certificates.front().keyAlgorithm = hal::KeyAlgorithm::rsa2048;
    startEngine();
    EXPECT_NE(inForce().key, renewed.key);
    EXPECT_EQ(ca.ordersMade(), 3);
}

class OrdersPassedOverTest : public RecoveredOrdersTest {
  protected:
    OrdersPassedOverTest() {
        settings.cas.push_back({"second", ca.directory, "", {}, true});
        ca.suggestRenewal(
            RenewalWindow{start + 300 * day, start + 301 * day});  // shortly before its end then
    }
    std::vector<KeyId> keysOfThem() { return store::OrderRepository(*database).keysGivenUp(recoveredId); }
    bool hadInForce(const KeyId& key) {
        return std::ranges::count(store::CredentialRepository(*database).history(recoveredId), key,
                                  &Credential::key) > 0;
    }
    void runUntilGivenUp(std::uint64_t orders) {
        while (view(recoveredId).abandonedOrders < orders && clock.now() < start + 90 * day)
            runUntil(clock.now() + hours(1));
        ASSERT_EQ(view(recoveredId).abandonedOrders, orders) << view(recoveredId).lastError;
    }
    // The second CA's turn comes while the first has the certificate ready that cannot be taken yet.
    void passOver() {
        startEngine();
        runUntil(start + 80 * day);
        ca.setAhead(hours(8));
        secondCa.setDown(true);
        runUntilGivenUp(1);
        ca.setRefusingReplaces("alreadyReplaced");
        ca.setAhead(seconds(0));
    }
    void expectRecovered() {
        EXPECT_EQ(inForce().issuerId, "fake") << view(recoveredId).lastError;
        EXPECT_EQ(view(recoveredId).lastError, "");
        EXPECT_EQ(ca.ordersMade(), 2) << "its certificate is the one";
        EXPECT_TRUE(store::KeyRepository(*database).unreferenced().empty());
    }
};

TEST_F(OrdersPassedOverTest, AreGoneBackToAlsoWithoutAList) {
    passOver();
    runUntil(start + 91 * day);
    expectRecovered();
}

TEST_F(OrdersPassedOverTest, AreGoneBackToAlsoAfterARestart) {
    passOver();
    startEngine();
    ASSERT_EQ(keysOfThem().size(), 1U);
    const KeyId kept = keysOfThem().front();
    runUntil(start + 91 * day);
    expectRecovered();
    EXPECT_EQ(inForce().key, kept);
    startEngine();
    EXPECT_TRUE(keys.find(kept)) << "it serves";
}

TEST_F(OrdersPassedOverTest, AreGoneBackToHoweverOftenTheyArePassedOver) {
    ca.suggestRenewal(RenewalWindow{start + 50 * day, start + 51 * day});
    startEngine();
    ca.setAhead(10 * day);
    secondCa.setDown(true);
    runUntilGivenUp(1);
    ca.setRefusingReplaces("alreadyReplaced");
    const KeyId kept = keysOfThem().at(0);
    runUntilGivenUp(2);
    startEngine();
    while (!hadInForce(kept) && clock.now() < start + 75 * day) {
        ASSERT_EQ(ca.ordersMade(), 2);
        runUntil(clock.now() + hours(1));
    }
    EXPECT_TRUE(hadInForce(kept)) << view(recoveredId).lastError;
}

TEST_F(OrdersPassedOverTest, LeaveOneKeyHoweverManyThereAre) {
    ca.suggestRenewal(RenewalWindow{start + 50 * day, start + 51 * day});
    startEngine();
    ca.setAhead(100 * day);
    secondCa.setDown(true);
    runUntilGivenUp(1);
    const std::size_t withOne = keys.list().size();
    for (std::uint64_t orders = 2; orders <= 5; ++orders) {
        runUntilGivenUp(orders);
        EXPECT_EQ(keysOfThem().size(), 1U);
        EXPECT_LE(keys.list().size(), withOne);
    }
    EXPECT_EQ(ca.ordersMade(), 4) << "three of them were passed over, the others never got to their CA";
    startEngine();
    EXPECT_EQ(keysOfThem().size(), 1U);
}

TEST_F(OrdersPassedOverTest, LeaveNoKeyOnceAnotherCertificateIsInForce) {
    passOver();
    ca.setDown(true);
    secondCa.setDown(false);
    runUntil(start + 89 * day);
    EXPECT_EQ(inForce().issuerId, "second") << view(recoveredId).lastError;
    EXPECT_TRUE(keysOfThem().empty());
}

TEST_F(OrdersPassedOverTest, LeaveNoKeyWhereTheCaRefusesThem) {
    startEngine();
    const std::size_t inUse = keys.list().size();
    ca.setRefusing(true);
    reissue();
    EXPECT_NE(ca.replaced().back(), "");
    EXPECT_EQ(view(recoveredId).abandonedOrders, 1U);
    EXPECT_EQ(keys.list().size(), inUse);
}

TEST_F(RecoveredOrdersTest, WhatWasGivenUpLeavesNoKeyOnceThereIsACertificate) {
    settings.cas.push_back({"second", ca.directory, "", {}, true});
    startEngine();
    ca.setAhead(hours(8));
    runUntil(start + 65 * day);
    EXPECT_EQ(inForce().issuerId, "second");
    EXPECT_EQ(view(recoveredId).abandonedOrders, 1U);
    EXPECT_TRUE(store::KeyRepository(*database).unreferenced().empty());
}

}  // namespace
}  // namespace certmgr::engine
