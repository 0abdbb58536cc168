// What a CA allows its clients, and how much of it is used: so that no request is sent that is known to be
// refused, and something is left for an emergency. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/certificate.h"

namespace certmgr {

enum class LimitKind {
    accounts,               // made from this box
    orders,                 // placed by one account
    certificatesPerDomain,  // issued below one registered domain, whoever asked for them
    certificatesPerSet,     // issued for exactly the same names, whoever asked for them
    authorizationFailures,  // of one account at one name
};
std::string_view toString(LimitKind kind) noexcept;  // "certificates-per-domain"
std::optional<LimitKind> limitKindFrom(std::string_view text) noexcept;

// A bucket as Let's Encrypt keeps them: of `count` one comes back every window/count. A CA that counts in a
// window instead allows less after a burst; what it then refuses it says when to ask for again.
struct RateLimit {
    LimitKind kind = LimitKind::orders;
    int count = 1;
    seconds window{0};
    int reserve = 0;              // of `count`, less than that: for emergencies only; see isEmergency()
    bool renewalsExempt = false;  // orders for the names of an earlier certificate of that CA do not count

    seconds step() const;                             // until one comes back, rounded up
    seconds whole() const { return step() * count; }  // until all have
    bool operator==(const RateLimit&) const = default;
};

// What shares one bucket at one CA. The account is its URL, the subject a domain, a name or a set of names;
// either is empty where the limit is not about it.
struct BucketId {
    LimitKind kind = LimitKind::orders;
    std::string account;
    std::string subject;
    auto operator<=>(const BucketId&) const = default;
};

// All that has to be remembered of a bucket is when it is full again: absent or past, nothing is used.
using Buckets = std::map<BucketId, TimePoint>;

// An order as the limits see it.
struct OrderFacts {
    std::string account;  // empty: it has to be made first
    std::vector<Identifier> names;
    std::vector<std::string> domains;  // the registered ones, as the CA counts them
    bool renewal = false;              // the CA has issued for exactly these names before
    bool suggested = false;            // and wants that renewed now: no limit holds (RFC 9773, Let's Encrypt)
    bool emergency = false;
};

// Names as the subject of a bucket.
std::string textOf(const std::vector<Identifier>& names);  // "a.example, b.example"

// The buckets that the CA looks at before it takes the order, of the kinds that it has limits for.
std::set<BucketId> bucketsOf(const std::vector<RateLimit>& limits, const OrderFacts& order);

struct BudgetVerdict {
    std::optional<TimePoint> notBefore;  // absent: now
    std::string reason;                  // a sentence for people, with notBefore
    seconds step{0};                     // until one more comes back of what is used up
    BucketId bucket = {};                // which that is
};
// Where several are used up, the one that takes longest decides. Only an emergency gets what is in reserve.
BudgetVerdict mayOrder(const std::vector<RateLimit>& limits, const OrderFacts& order, const Buckets& buckets,
                       TimePoint now);

const RateLimit* limitOf(const std::vector<RateLimit>& limits, LimitKind kind);

// What is stored of the bucket after one more, and after one that the CA did not take.
TimePoint spent(const RateLimit& limit, std::optional<TimePoint> fullAgain, TimePoint now);
TimePoint givenBack(const RateLimit& limit, TimePoint fullAgain);
// No bucket takes longer than whole() to be full again: a time beyond was stored by a clock that was wrong,
// or under another limit. What stands here then blocks for a while, neither for ever nor not at all.
TimePoint believed(const RateLimit& limit, TimePoint fullAgain, TimePoint now);

// How many of it are used at that time.
int usedOf(const RateLimit& limit, std::optional<TimePoint> fullAgain, TimePoint now);
// When one more is allowed; absent: now.
std::optional<TimePoint> nextOf(const RateLimit& limit, std::optional<TimePoint> fullAgain, TimePoint now,
                                bool emergency);

// What the reserve is for: the names had a certificate that others than the box's own clients trust, and it
// has ended or is lost, or less than 1/20 of its lifetime is left. A name that never had one can wait: the
// local certificate serves it as it did before. `fellBack`: what is in force came after such a one.
bool isEmergency(const std::optional<Credential>& current, bool fellBack, TimePoint now);
// When it becomes one by time alone; absent: never, or it is one.
std::optional<TimePoint> emergencyOf(const std::optional<Credential>& current, TimePoint now);

// What is known to come, and what it does to the buckets.
struct PlannedOrder {
    TimePoint when;
    OrderFacts order;
};
struct BucketForecast {
    int planned = 0;                      // orders that use it
    std::optional<TimePoint> usedUpFrom;  // when the first of them has to wait; absent: all go through
    bool operator==(const BucketForecast&) const = default;
};
// Of the orders at one CA.
std::map<BucketId, BucketForecast> forecast(const std::vector<RateLimit>& limits, Buckets buckets,
                                            std::vector<PlannedOrder> planned, TimePoint now);

}  // namespace certmgr
