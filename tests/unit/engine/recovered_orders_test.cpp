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

// The second CA's turn comes while the first has the certificate ready that cannot be taken yet.
TEST_F(RecoveredOrdersTest, AnOrderThatWasGivenUpForAnotherCaIsGoneBackToAlsoWithoutAList) {
    settings.cas.push_back({"second", ca.directory, "", {}, true});
    ca.suggestRenewal(RenewalWindow{start + 300 * day, start + 301 * day});  // shortly before its end then
    startEngine();
    runUntil(start + 80 * day);
    ca.setAhead(hours(8));
    secondCa.setDown(true);
    while (view(recoveredId).abandonedOrders == 0 && clock.now() < start + 90 * day)
        runUntil(clock.now() + hours(1));
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_EQ(view(recoveredId).abandonedOrders, 1U);
    ca.setRefusingReplaces("alreadyReplaced");
    ca.setAhead(seconds(0));
    runUntil(start + 91 * day);
    EXPECT_EQ(inForce().issuerId, "fake") << view(recoveredId).lastError;
    EXPECT_EQ(view(recoveredId).lastError, "");
    EXPECT_EQ(ca.ordersMade(), 2) << "its certificate is the one";
    EXPECT_TRUE(store::KeyRepository(*database).unreferenced().empty());
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
