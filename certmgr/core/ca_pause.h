// What a CA has said to leave alone for a while, and which orders that holds back. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/rate_budget.h"

namespace certmgr {

struct CaPause {
    // "gw.example.com": each order with that name; "below example.com": with a name there; "exactly a, b":
    // with these names; empty: every order of the account.
    std::string subject;
    TimePoint until;
    std::string reason;  // in the CA's words
    std::string
        url;  // of the page where people end it, with a secret that does no more; empty: there is none
    bool operator==(const CaPause&) const = default;
};

// The names of an order, and the registered domains that the CA counts them below.
struct OrderedNames {
    std::vector<Identifier> names;
    std::vector<std::string> domains;
};

// Whether the CA has counted against a limit from which it exempts this order: what it suggests to renew (RFC
// 9773, Let's Encrypt), and below a domain any renewal, where its limit says so.
bool isExempt(const OrderFacts& order, const CaPause& pause, const std::vector<RateLimit>& limits);

// The subjects that hold such an order back.
std::set<std::string> subjectsOf(const OrderedNames& order);

// Those that the CA means which refuses such an order in these words. RFC 8555 has no other way to say it,
// and Let's Encrypt names what it has counted. Where it does not, all orders are meant: to have one wait that
// need not costs some time, and to send those that must costs a refusal each.
std::set<std::string> subjectsMeant(std::string_view words, const OrderedNames& order);

// When it ends at the latest: after a week, the longest window of the public CAs, and after a day where it is
// of every order, which one odd answer is enough for. A time beyond was said so, or stored by a clock that
// was wrong.
TimePoint endOf(const CaPause& pause, TimePoint now);

}  // namespace certmgr
