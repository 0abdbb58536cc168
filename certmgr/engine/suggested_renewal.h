// What is on record of a CA's wish to see a certificate renewed.
#pragma once

#include <optional>

#include "certmgr/engine/records.h"

namespace certmgr::engine {

// The time chosen in the window that its CA suggests for this credential; absent: it suggests none, or is no
// CA. One that was renewed itself is at the earliest due a day after it was issued: a CA that finds each new
// one due at once gets an order a day, and no more.
std::optional<TimePoint> suggestedRenewal(Records& records, const Credential& credential);

}  // namespace certmgr::engine
