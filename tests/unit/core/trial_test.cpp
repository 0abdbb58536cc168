#include "certmgr/core/trial.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

TEST(Trial, ComesAfterARefusalOnlyAndSaysWhy) {
    const TrialFacts refused{"main", "main-staging", "authorization-failed", false};
    const TrialDecision decision = decideTrial(refused);
    EXPECT_TRUE(decision.trial);
    EXPECT_EQ(
        decision.reason,
        "the last attempt was refused: main-staging is tried first, so that no limit of main is used up");
    for (const char* code : {"", "http-unreachable", "rate-limited", "challenge-not-visible"}) {
        TrialFacts other = refused;
        other.lastErrorCode = code;
        EXPECT_FALSE(decideTrial(other).trial) << code;
    }
}

TEST(Trial, NeedsACaForIt) {
    EXPECT_FALSE(decideTrial({"main", "", "authorization-failed", false}).trial);
}

TEST(Trial, IsNotRepeatedWhereTheOrderThatFollowsItIsOpen) {
    EXPECT_FALSE(decideTrial({"main", "main-staging", "authorization-failed", true}).trial);
}

}  // namespace
}  // namespace certmgr
