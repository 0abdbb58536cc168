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
    const JobView& revoke(const std::string& reason, bool dryRun = false, const std::string& serial = "") {
        const std::string started = engine->revokeAtCa(revokedId, {reason, serial, dryRun});
        settle();
        return job(started);
    }
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
    EXPECT_TRUE(view(revokedId).revocation.starts_with("done: " + serial_)) << view(revokedId).revocation;
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

TEST_F(RevocationsTest, ACompromisedKeyMakesWayForALocalOneWhereTheCaFails) {
    ca.setRefusing(true);
    EXPECT_EQ(revoke("key-compromise").state, "done");
    EXPECT_EQ(view(revokedId).state, "local");
    EXPECT_EQ(ca.revoked(), std::vector<std::string>{serial_ + " 1"});
    ca.setRefusing(false);
    runUntil(clock.now() + day);
    EXPECT_EQ(view(revokedId).state, "acme");
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
    EXPECT_TRUE(view(revokedId).revocation.starts_with("refused: ")) << view(revokedId).revocation;
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
    EXPECT_TRUE(view(revokedId).revocation.starts_with("obsolete: ")) << view(revokedId).revocation;
}

}  // namespace
}  // namespace certmgr::engine
