// When a CA wants a certificate renewed, and when it is asked for that again (RFC 9773 4). Pure.
#pragma once

#include <optional>
#include <string>

#include "certmgr/core/clock.h"

namespace certmgr {

struct RenewalWindow {
    TimePoint start;
    TimePoint end;  // after start
    bool operator==(const RenewalWindow&) const = default;
};

// What is stored of one certificate.
struct RenewalInfo {
    std::optional<RenewalWindow> window;  // absent: the CA has said nothing yet
    TimePoint renewAt;                    // chosen in the window
    std::string explanationUrl;           // for people; empty: none
    int failures = 0;                     // temporary ones in a row
    TimePoint nextQuery;
};

// 4.2: "a uniform random time within the suggested window". `random` in [0,1). The choice holds as long as
// the window does: who chose anew at each look would come too early.
TimePoint chooseIn(const RenewalWindow& window, double random);

// 4.3.2: as the CA says, at least a minute and at most a day from now; where it says nothing, in six hours.
TimePoint nextQuery(TimePoint now, std::optional<seconds> retryAfter);

// Where the CA gives no such information at all.
TimePoint nextQueryOfSilentCa(TimePoint now);

// 4.3.3: after a temporary error (5xx, a time-out) soon, and doubling up to six hours; `failures`: this one
// included. What will not pass by itself is asked for in six hours, as where the CA says nothing.
TimePoint nextQueryAfterFailure(int failures, TimePoint now);

// What is stored of it, as far as it can be believed: see believedTime().
TimePoint believedQuery(TimePoint stored, TimePoint now);

}  // namespace certmgr
