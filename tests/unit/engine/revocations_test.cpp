// Revocation at the CA: nothing that serves is revoked, nothing that was asked for is forgotten.
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::minutes;
using testing_support::FakeService;

constexpr const char* revokedId = "gw.example.com";

class RevocationsTest : public EngineTest {
  protected:
    void SetUp() override {
        profile.probes.front().timeout = std::chrono::milliseconds(100);  // of real time, where a proof fails
        startEngine();
        ASSERT_EQ(view(revokedId).state, "acme");
        serial_ = view(revokedId).serial;
    }
    const JobView& revoke(const std::string& reason, bool dryRun = false, const std::string& serial = "",
                          bool atOnce = false) {
        const std::string started = engine->revokeAtCa(revokedId, {reason, serial, dryRun, atOnce});
        settle();
        return job(started);
    }
    const JobView& revokeNow(const std::string& reason = "") { return revoke(reason, false, "", true); }
    KeyId keyInForce() { return store::CredentialRepository(*database).current(revokedId).value().key; }

    std::string serial_;  // of the one that is revoked
};

TEST_F(RevocationsTest, WhatServesIsReplacedFirst) {
    const KeyId compromised = keyInForce();
    std::vector<std::string> revokedAtProof;
    service->onLook = [&] { revokedAtProof = ca.revoked(); };
    const JobView& job = revoke("key-compromise");
    EXPECT_EQ(job.state, "done") << job.error;
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 1"});
    EXPECT_TRUE(revokedAtProof.empty()) << "it was revoked before its replacement was proved";
    EXPECT_NE(view(revokedId).serial, serial_);
    EXPECT_NE(keyInForce(), compromised);
    EXPECT_EQ(view(revokedId).state, "acme");
    EXPECT_TRUE(view(revokedId).revocation.str().starts_with("done: " + serial_))
        << view(revokedId).revocation;
    EXPECT_EQ(revoke("key-compromise", false, serial_).state, "done");
    EXPECT_EQ(ca.revoked().size(), 1U) << "once is enough";
}

TEST_F(RevocationsTest, ADryRunSaysSoAndChangesNothing) {
    const JobView& job = revoke("superseded", true);
    EXPECT_NE(job.result.find("another certificate with a new key"), std::string::npos) << job.result;
    EXPECT_NE(job.result.find(serial_), std::string::npos) << job.result;
    EXPECT_EQ(view(revokedId).serial, serial_);
    EXPECT_EQ(view(revokedId).revocation, "");
    EXPECT_EQ(ca.ordersMade(), 1);
}

TEST_F(RevocationsTest, AServiceThatIsNotProvedHoldsItBackAlsoAfterARestart) {
    service->set(FakeService::Mood::ignoresReload);
    const JobView& job = revoke("superseded");
    EXPECT_EQ(job.errorCode, "revocation-due");
    EXPECT_NE(job.error.find("proved at web"), std::string::npos) << job.error;
    startEngine();
    runUntil(clock.now() + minutes(30));
    EXPECT_TRUE(ca.revoked().empty());
    service->set(FakeService::Mood::good);
    runUntil(clock.now() + day * 2);
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 4"});
}

TEST_F(RevocationsTest, ACompromisedKeyDoesNotWaitForAServiceThatIsOff) {
    service->set(FakeService::Mood::down);
    EXPECT_EQ(revoke("superseded").errorCode, "revocation-due");
    EXPECT_TRUE(ca.revoked().empty()) << "for any other reason it does";
    EXPECT_EQ(revoke("key-compromise", false, serial_).state, "done");
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 1"});
}

TEST_F(RevocationsTest, NorForOneThatWasNeverProved) {
    ServiceProfile other = profile;
    other.name = "other";
    other.probes.front().port = FakeService::nobodyThere;
    otherProfiles = {other};
    startEngine();
    EXPECT_EQ(revoke("superseded").errorCode, "revocation-due");
    EXPECT_EQ(revoke("key-compromise", false, serial_).state, "done");
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 1"});
}

TEST_F(RevocationsTest, OneThatWasSeenWithItHoldsItBackUntilTheAdministratorSaysOtherwise) {
    service->set(FakeService::Mood::ignoresReload);
    EXPECT_EQ(revoke("key-compromise").errorCode, "revocation-due");
    const std::string replacement = view(revokedId).serial;
    EXPECT_NE(replacement, serial_);
    EXPECT_TRUE(ca.revoked().empty());
    EXPECT_EQ(revokeNow("key-compromise").errorCode, "already-due") << "which of the two is meant?";
    EXPECT_EQ(revokeNow().state, "done");
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 1"}) << "and not the one in force";
    EXPECT_EQ(view(revokedId).serial, replacement);
    EXPECT_EQ(service->servedLeaf(profile.certificates.front().names.front()).empty(), false);
}

TEST_F(RevocationsTest, AtOnceIsKeptOverARestartAndReplacesFirst) {
    service->set(FakeService::Mood::ignoresReload);
    ca.setRefusing(true);
    EXPECT_EQ(revokeNow("superseded").errorCode, "revocation-due");
    EXPECT_TRUE(ca.revoked().empty()) << "there is no other certificate yet";
    startEngine();
    ca.setRefusing(false);
    runUntil(clock.now() + day);
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 4"});
}

TEST_F(RevocationsTest, AtOnceNeedsAReasonWhereNothingIsDue) {
    EXPECT_EQ(revokeNow().errorCode, "bad-reason");
    EXPECT_THROW(engine->revokeAtCa(revokedId, {"", "", false, false}), Error);
    EXPECT_NE(revoke("superseded", true, "", true).result.find("is in force: "), std::string::npos);
    EXPECT_EQ(revokeNow("superseded").state, "done");
}

TEST_F(RevocationsTest, ACaIsFoundByItsDirectoryAlsoWhereAnotherHasItsName) {
    service->set(FakeService::Mood::ignoresReload);
    revoke("superseded");
    stopEngine();
    settings.cas.front().name = "renamed";
    settings.cas.push_back({"fake", "https://elsewhere.test/directory", "", {}, true});
    service->set(FakeService::Mood::good);
    startEngine();
    runUntil(clock.now() + day);
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 4"}) << view(revokedId).revocation;
    EXPECT_EQ(ca.accountsMade(), 1) << "the account that ordered asks for it";
}

TEST_F(RevocationsTest, WhereTheCaIsGoneThatIsSaidAndTriedAgain) {
    service->set(FakeService::Mood::ignoresReload);
    revoke("superseded");
    stopEngine();
    settings.cas.front().directory = "https://elsewhere.test/directory";
    service->set(FakeService::Mood::good);
    startEngine();
    runUntil(clock.now() + day);
    EXPECT_TRUE(ca.revoked().empty());
    EXPECT_TRUE(view(revokedId).revocation.str().starts_with("due: ")) << view(revokedId).revocation;
    EXPECT_NE(view(revokedId).revocation.str().find(testing_support::FakeAcme::directory), std::string::npos)
        << view(revokedId).revocation;
}

TEST_F(RevocationsTest, WhatIsDueForLongIsAnAlarmUntilItIsDoneAlsoAcrossARestart) {
    const std::string alarm = "revocation-due:" + std::string(revokedId);
    service->set(FakeService::Mood::ignoresReload);
    revoke("key-compromise");
    runUntil(clock.now() + minutes(58));
    EXPECT_FALSE(views->alarms().contains(alarm));
    runUntil(clock.now() + minutes(4));
    ASSERT_TRUE(views->alarms().contains(alarm));
    EXPECT_NE(views->alarms().at(alarm).sentence.find("proved at web"), std::string::npos);
    startEngine();
    runUntil(clock.now() + minutes(5));
    EXPECT_TRUE(views->alarms().contains(alarm));
    EXPECT_EQ(std::ranges::count(hook.told(), "raised " + alarm), 1);
    EXPECT_EQ(revokeNow().state, "done");
    runUntil(clock.now() + minutes(1));
    EXPECT_FALSE(views->alarms().contains(alarm));
    EXPECT_EQ(std::ranges::count(hook.told(), "cleared " + alarm), 1);
}

TEST_F(RevocationsTest, ACompromisedKeyMakesWayForALocalOneWhereTheCaFails) {
    ca.setRefusing(true);
    EXPECT_EQ(revoke("key-compromise").state, "done");
    EXPECT_EQ(view(revokedId).state, "local");
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 1"});
    ca.setRefusing(false);
    runUntil(clock.now() + day);
    EXPECT_EQ(view(revokedId).state, "acme");
}

TEST_F(RevocationsTest, ACompromisedKeyDoesNotWaitForTheTimeOfAClockThatWasAhead) {
    clock.set(start + 30 * day);
    ca.setDown(true);
    EXPECT_EQ(revoke("key-compromise").errorCode, "revocation-due");
    EXPECT_EQ(view(revokedId).state, "local");
    clock.set(start);
    ca.setDown(false);
    engine->review();
    settle();
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 1"}) << view(revokedId).revocation;
    EXPECT_EQ(view(revokedId).state, "acme");
}

TEST_F(RevocationsTest, NorDoesItStayWhereTheOrderHasToWaitForTheLimitsOfTheCa) {
    settings.cas.front().limits.push_back({LimitKind::orders, 1, std::chrono::hours(3)});
    startEngine();
    engine->reissue(revokedId);
    settle();
    serial_ = view(revokedId).serial;
    EXPECT_EQ(ca.ordersMade(), 2) << "the one that is allowed";
    EXPECT_EQ(revoke("key-compromise").state, "done");
    EXPECT_EQ(ca.ordersMade(), 2);
    EXPECT_EQ(view(revokedId).state, "local");
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 1"});
    runUntil(clock.now() + day);
    EXPECT_EQ(view(revokedId).state, "acme");
}

TEST_F(RevocationsTest, NorWhereTheCaHasPausedItAndThePauseIsTriedOnce) {
    ca.refuseOrders({"rateLimited",
                     "Your account is temporarily prevented from requesting certificates for gw.example.com. "
                     "Please visit: https://portal.example/sfe/v1/unpause?jwt=abc",
                     429});
    engine->reissue(revokedId);
    settle();
    ASSERT_NE(view(revokedId).pause, "");
    const std::size_t asked = ca.profilesAsked().size();
    EXPECT_EQ(revoke("key-compromise").state, "done");
    EXPECT_EQ(ca.profilesAsked().size(), asked + 1) << "who has it revoked may have ended the pause";
    EXPECT_EQ(view(revokedId).state, "local");
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 1"});
}

TEST_F(RevocationsTest, ForAnyOtherReasonItWaitsForTheCa) {
    ca.setRefusing(true);
    EXPECT_EQ(revoke("superseded").errorCode, "revocation-due");
    EXPECT_EQ(view(revokedId).serial, serial_);
    EXPECT_TRUE(ca.revoked().empty());
    ca.setRefusing(false);
    runUntil(clock.now() + day);
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 4"});
}

TEST_F(RevocationsTest, ARefusalOfTheCaIsForGoodAndCanBeAskedForAgain) {
    ca.setRefusingRevocations(true);
    const JobView& job = revoke("key-compromise");
    EXPECT_NE(job.error.find("not yours"), std::string::npos) << job.error;
    EXPECT_TRUE(view(revokedId).revocation.str().starts_with("refused: ")) << view(revokedId).revocation;
    ca.setRefusingRevocations(false);
    runUntil(clock.now() + day);
    EXPECT_TRUE(ca.revoked().empty());
    EXPECT_EQ(revoke("key-compromise", false, serial_).state, "done");
    EXPECT_EQ(ca.revoked().size(), 1U);
}

TEST_F(RevocationsTest, WhatNoCaIssuedOrNobodyKnowsIsRefused) {
    EXPECT_EQ(revoke("superseded", false, "0badcafe").errorCode, "not-found");
    EXPECT_THROW(engine->revokeAtCa(revokedId, {"privilege-withdrawn"}), Error);
    EXPECT_THROW(engine->revokeAtCa("nobody.example", {"superseded"}), Error);
    ca.setDown(true);
    revoke("key-compromise");
    ASSERT_EQ(view(revokedId).state, "local");
    EXPECT_EQ(revoke("superseded").errorCode, "not-of-a-ca");
}

TEST_F(RevocationsTest, WhatEndsFirstIsNotRevokedAnyMore) {
    service->set(FakeService::Mood::ignoresReload);
    revoke("superseded");
    clock.advance(91 * day);  // the box was off: each proof that fails takes its time
    engine->review();
    settle();
    runUntil(clock.now());
    EXPECT_TRUE(ca.revoked().empty());
    EXPECT_TRUE(view(revokedId).revocation.str().starts_with("obsolete: ")) << view(revokedId).revocation;
}

TEST_F(RevocationsTest, AClockThatWasAheadGivesNoneUp) {
    service->set(FakeService::Mood::ignoresReload);
    EXPECT_EQ(revoke("superseded").errorCode, "revocation-due");
    clock.advance(day * 400);
    engine->review();
    settle();
    EXPECT_TRUE(view(revokedId).revocation.str().starts_with("obsolete: ")) << view(revokedId).revocation;
    clock.set(start + minutes(5));
    service->set(FakeService::Mood::good);
    engine->review();
    settle();
    runUntil(start + day);
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 4"});
}

TEST_F(RevocationsTest, OneThatWasRenewedTwiceIsRevokedByTheAccount) {
    const KeyId key = keyInForce();
    for (int renewals = 0; renewals < 3; ++renewals) {
        engine->reissue(revokedId);
        settle();
    }
    EXPECT_FALSE(keys.find(key));
    const std::string inForce = view(revokedId).serial;
    const JobView& job = revoke("key-compromise", false, serial_);
    EXPECT_EQ(job.state, "done") << job.error;
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 1"});
    EXPECT_EQ(view(revokedId).serial, inForce) << "nothing is to be replaced first";
}

}  // namespace
}  // namespace certmgr::engine
