// The TXT records of dns-persist-01 (draft-ietf-acme-dns-persist-01), which stay: each says that an account
// at a CA may have certificates for a name. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/clock.h"
#include "certmgr/core/identifier.h"

namespace certmgr {

struct PersistRecord {
    std::string issuer;              // a domain name of the CA, as it writes it
    std::string account;             // its URL at the CA, "accounturi"
    bool wildcard = false;           // "policy=wildcard": for the names below this one too
    std::optional<TimePoint> until;  // "persistUntil", the last second of it; absent: for ever
    bool operator==(const PersistRecord&) const = default;
};

// Where a CA looks: "_validation-persist.gw.example". A wildcard is proved at the name without "*.".
std::string persistOwner(const Identifier& name);

std::string persistText(const PersistRecord& record);
// A line of a zone file (RFC 1035 5.1), with strings of at most 255 octets.
std::string persistZoneLine(const Identifier& name, const PersistRecord& record);

// What prints such a line, for people: "certmgrctl acme persist-record gw.example --wildcard".
std::string persistCommand(const Identifier& name);

// How often one that proved a certificate is looked at, where its name servers answer.
inline constexpr seconds persistLookAgain = std::chrono::hours(24);

struct PersistQuestion {
    std::vector<std::string> issuers;  // of the CA; empty: not known, and each may be
    std::string account;               // of ours at the CA, its URL
    bool wildcard = false;
    std::optional<TimePoint> now;  // absent: the time is not known, and no record has ended
};

struct PersistAnswer {
    std::optional<PersistRecord> record;  // that a CA would take; of several the one that stays longest
    bool named = false;                   // one of them names the CA
    std::string why;  // none: what is wrong with those that name the CA, as a clause for people
};

// `texts`: all TXT records at the owner, the strings of each joined.
PersistAnswer judgePersist(const std::vector<std::string>& texts, const PersistQuestion& question);

}  // namespace certmgr
