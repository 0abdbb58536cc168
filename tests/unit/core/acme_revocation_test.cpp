#include "certmgr/core/acme_revocation.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

constexpr TimePoint revocationTime{seconds{1'800'000'037}};
using StepKind = AcmeRevocationStep::Kind;

AcmeRevocationFacts replaced() {
    AcmeRevocationFacts facts;
    facts.notAfter = revocationTime + std::chrono::hours(24);
    return facts;
}

TEST(AcmeRevocation, nothingThatServesIsRevoked) {
    AcmeRevocationFacts facts = replaced();
    facts.inForce = true;
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::wait);
    facts.inForce = false;
    facts.servedBy = {"web-ui"};
    facts.unseenAt = {"mail"};
    const AcmeRevocationStep step = nextStep(facts, revocationTime);
    EXPECT_EQ(step.kind, StepKind::wait);
    EXPECT_EQ(step.reason, "waits until another certificate is proved at web-ui, mail");
    EXPECT_EQ(step.lookAgain, facts.notAfter);
    facts.servedBy.clear();
    EXPECT_EQ(nextStep(facts, revocationTime).reason, "waits until another certificate is proved at mail");
    facts.unseenAt.clear();
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::revoke);
}

TEST(AcmeRevocation, aCompromisedKeyWaitsOnlyWhereItWasSeen) {
    AcmeRevocationFacts facts = replaced();
    facts.reason = RevocationReason::keyCompromise;
    facts.servedBy = {"web-ui"};
    facts.unseenAt = {"mail"};
    EXPECT_EQ(nextStep(facts, revocationTime).reason, "waits until another certificate is proved at web-ui");
    facts.servedBy.clear();
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::revoke);
    facts.inForce = true;
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::wait) << "it is replaced first";
}

TEST(AcmeRevocation, atOnceWaitsForNoServiceButForAnotherCertificate) {
    AcmeRevocationFacts facts = replaced();
    facts.servedBy = {"web-ui"};
    facts.unseenAt = {"mail"};
    facts.atOnce = true;
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::revoke);
    facts.inForce = true;
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::wait);
}

TEST(AcmeRevocation, afterAFailureItIsAskedAgainAtItsTime) {
    AcmeRevocationFacts facts = replaced();
    facts.attempts = {1, revocationTime + seconds(60)};
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::wait);
    EXPECT_EQ(nextStep(facts, revocationTime).lookAgain, revocationTime + seconds(60));
    EXPECT_EQ(nextStep(facts, revocationTime + seconds(60)).kind, StepKind::revoke);
}

TEST(AcmeRevocation, isNotHeldBackByAClockThatWasAhead) {
    AcmeRevocationFacts facts = replaced();
    facts.attempts = {1, revocationTime + std::chrono::hours(24 * 365 * 5)};
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::revoke);
    facts.clockTrusted = false;
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::wait) << "it may be this one that is wrong";
    facts.clockTrusted = true;
    facts.attempts.nextAttempt = revocationTime + std::chrono::hours(24 * 7);
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::wait) << "as the CA may have said";
}

TEST(AcmeRevocation, whatHasEndedIsGivenUpWhereTheClockIsTrusted) {
    AcmeRevocationFacts facts = replaced();
    facts.notAfter = revocationTime;
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::giveUp);
    facts.clockTrusted = false;
    EXPECT_EQ(nextStep(facts, revocationTime).kind, StepKind::revoke);
    facts.inForce = true;
    EXPECT_EQ(nextStep(facts, revocationTime).lookAgain, std::nullopt) << "trust comes with an event";
}

TEST(AcmeRevocation, statesHaveWordsAndOneReasonIsTheCasOwn) {
    for (const auto state : {AcmeRevocationState::due, AcmeRevocationState::done,
                             AcmeRevocationState::obsolete, AcmeRevocationState::refused})
        EXPECT_EQ(acmeRevocationStateFrom(toString(state)), state);
    EXPECT_FALSE(acmeRevocationStateFrom("perhaps"));
    EXPECT_TRUE(mayBeAskedOfCa(RevocationReason::keyCompromise));
    EXPECT_FALSE(mayBeAskedOfCa(RevocationReason::privilegeWithdrawn));
}

}  // namespace
}  // namespace certmgr
