// Whether a CA for tests is asked first, so that a second refusal costs nothing at the one that counts.
#pragma once

#include <string>
#include <string_view>

namespace certmgr {

struct TrialFacts {
    std::string ca;                  // whose turn it is
    std::string trialCa;             // the one for tests beside it; empty: none
    std::string_view lastErrorCode;  // of the attempt before; empty: it succeeded, or there was none
    bool orderOpen = false;          // at `ca` itself: placed when its trial was over
};

struct TrialDecision {
    bool trial = false;
    std::string reason;  // for people
};

// Only what the CA itself refused is tried: trouble on the way says nothing of the next attempt, and costs
// nothing at the CA. Pure.
TrialDecision decideTrial(const TrialFacts& facts);

}  // namespace certmgr
