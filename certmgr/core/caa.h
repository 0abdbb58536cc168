// Whether the CAA records of a name let a CA issue for it (RFC 8659, with the parameters of RFC 8657). Pure:
// which of the names above it has the records is for the caller to find out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "certmgr/core/challenge_kind.h"

namespace certmgr {

struct CaaRecord {
    std::uint8_t flags = 0;
    std::string tag;
    std::string value;
};

struct CaaQuestion {
    std::vector<std::string> identities;  // of the CA (RFC 8555 7.1.1, "caaIdentities"); empty: it names none
    bool wildcard = false;
    ChallengeKind challenge = ChallengeKind::http01;
    std::string account = {};  // the URL of ours at the CA; empty: not known
};

enum class CaaVerdict { allowed, forbidden, unknown };

// `why` as a clause about the records, for people: "allow only letsencrypt.org"; empty where they allow it.
struct CaaAnswer {
    CaaVerdict verdict = CaaVerdict::allowed;
    std::string why;
};

// `records`: the relevant set (RFC 8659 3), of the name or the nearest one above it that has any.
CaaAnswer judgeCaa(const std::vector<CaaRecord>& records, const CaaQuestion& question);

// The names to look at, in this order, until one has records (RFC 8659 3): the name without "*.", then each
// one above it; the root is none of them.
std::vector<std::string> caaNames(const Identifier& name);

}  // namespace certmgr
