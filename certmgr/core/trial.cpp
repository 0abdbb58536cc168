#include "certmgr/core/trial.h"

namespace certmgr {

TrialDecision decideTrial(const TrialFacts& facts) {
    if (facts.trialCa.empty()) return {false, "there is no CA for tests beside " + facts.ca};
    if (facts.lastErrorCode != "authorization-failed")
        return {false, "no CA refused a challenge in the last attempt"};
    if (facts.orderOpen) return {false, "the order at " + facts.ca + " goes on"};
    return {true, "the last attempt was refused: " + facts.trialCa + " is tried first, so that no limit of " +
                      facts.ca + " is used up"};
}

}  // namespace certmgr
