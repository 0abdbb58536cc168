#include "certmgr/core/rate_budget.h"

#include <algorithm>
#include <utility>

#include "hal/words.h"

namespace certmgr {
namespace {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::minutes;

constexpr hal::Words<LimitKind, 5> limitKinds{{{LimitKind::accounts, "accounts"},
                                               {LimitKind::orders, "orders"},
                                               {LimitKind::certificatesPerDomain, "certificates-per-domain"},
                                               {LimitKind::certificatesPerSet, "certificates-per-set"},
                                               {LimitKind::authorizationFailures, "authorization-failures"}}};

std::string countOf(seconds::rep count, const std::string& what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string windowText(seconds window) {
    if (window % hours(24) == seconds(0)) return countOf(window / hours(24), "day");
    if (window % hours(1) == seconds(0)) return countOf(window / hours(1), "hour");
    if (window % minutes(1) == seconds(0)) return countOf(window / minutes(1), "minute");
    return countOf(window.count(), "second");
}

// "5 certificates for exactly gw.example.com in 7 days"
std::string limitText(const RateLimit& limit, const BucketId& bucket) {
    const auto what = [&]() -> std::string {
        switch (limit.kind) {
            case LimitKind::accounts:
                return countOf(limit.count, "new account");
            case LimitKind::orders:
                return countOf(limit.count, "order") + " of one account";
            case LimitKind::certificatesPerDomain:
                return countOf(limit.count, "certificate") + " below " + bucket.subject;
            case LimitKind::certificatesPerSet:
                return countOf(limit.count, "certificate") + " for exactly " + bucket.subject;
            case LimitKind::authorizationFailures:
                return countOf(limit.count, "failed authorization") + " of " + bucket.subject;
        }
        return "";
    };
    return what() + " in " + windowText(limit.window);
}

std::string_view advice(LimitKind kind) {
    switch (kind) {
        case LimitKind::accounts:
        case LimitKind::orders:
            return "";
        case LimitKind::certificatesPerDomain:
            return "; names that are put into one certificate count once";
        case LimitKind::certificatesPerSet:
            return "; each reissue of the same names counts, another set of names has a limit of its own";
        case LimitKind::authorizationFailures:
            return "; the last error before this one says what to put right meanwhile";
    }
    return "";
}

std::string refusal(const RateLimit& limit, const BucketId& bucket, int used, TimePoint next) {
    const bool kept = used < limit.count;
    return "not asked, since the CA allows " + limitText(limit, bucket) + ", of which " +
           std::to_string(used) + (used == 1 ? " is" : " are") + " used" +
           (kept ? " and the rest is kept for emergencies" : "") + "; the next one may be had at " +
           formatTime(next) + std::string(advice(limit.kind));
}

std::optional<TimePoint> find(const Buckets& buckets, const BucketId& id) {
    const auto found = buckets.find(id);
    return found == buckets.end() ? std::nullopt : std::optional(found->second);
}

bool trustedByOthers(const Credential& credential) {
    return credential.source != Source::local;
}

TimePoint emergencyFrom(const CertificateSummary& leaf) {
    return leaf.notAfter - (leaf.notAfter - leaf.notBefore) / 20;
}

}  // namespace

std::string textOf(const std::vector<Identifier>& names) {
    std::string text;
    for (const Identifier& name : names) text += (text.empty() ? "" : ", ") + name.value;
    return text;
}

std::string_view toString(LimitKind kind) noexcept {
    return hal::wordOf(limitKinds, kind);
}

std::optional<LimitKind> limitKindFrom(std::string_view text) noexcept {
    return hal::valueNamed(limitKinds, text);
}

seconds RateLimit::step() const {
    return std::max(seconds(1), (window + seconds(count - 1)) / count);
}

const RateLimit* limitOf(const std::vector<RateLimit>& limits, LimitKind kind) {
    const auto found = std::ranges::find(limits, kind, &RateLimit::kind);
    return found == limits.end() ? nullptr : &*found;
}

std::set<BucketId> bucketsOf(const std::vector<RateLimit>& limits, const OrderFacts& order) {
    std::set<BucketId> buckets;
    if (order.suggested) return buckets;
    for (const RateLimit& limit : limits) {
        if (order.renewal && limit.renewalsExempt) continue;
        switch (limit.kind) {
            case LimitKind::accounts:
                if (order.account.empty()) buckets.insert({limit.kind, "", ""});
                break;
            case LimitKind::orders:
                buckets.insert({limit.kind, order.account, ""});
                break;
            case LimitKind::certificatesPerDomain:
                for (const std::string& domain : order.domains) buckets.insert({limit.kind, "", domain});
                break;
            case LimitKind::certificatesPerSet:
                buckets.insert({limit.kind, "", textOf(order.names)});
                break;
            case LimitKind::authorizationFailures:
                for (const Identifier& name : order.names)
                    buckets.insert({limit.kind, order.account, provenName(name)});
                break;
        }
    }
    return buckets;
}

TimePoint believed(const RateLimit& limit, TimePoint fullAgain, TimePoint now) {
    return std::min(fullAgain, now + limit.whole());
}

TimePoint spent(const RateLimit& limit, std::optional<TimePoint> fullAgain, TimePoint now) {
    const TimePoint from = fullAgain ? std::max(now, believed(limit, *fullAgain, now)) : now;
    return std::min(from + limit.step(), now + limit.whole());
}

TimePoint givenBack(const RateLimit& limit, TimePoint fullAgain) {
    return fullAgain - limit.step();
}

int usedOf(const RateLimit& limit, std::optional<TimePoint> fullAgain, TimePoint now) {
    if (!fullAgain || *fullAgain <= now) return 0;
    const seconds left = believed(limit, *fullAgain, now) - now;
    return static_cast<int>((left + limit.step() - seconds(1)) / limit.step());
}

std::optional<TimePoint> nextOf(const RateLimit& limit, std::optional<TimePoint> fullAgain, TimePoint now,
                                bool emergency) {
    if (!fullAgain) return std::nullopt;
    const int usable = limit.count - (emergency ? 0 : limit.reserve);
    const TimePoint next = believed(limit, *fullAgain, now) - limit.step() * (usable - 1);
    return next > now ? std::optional(next) : std::nullopt;
}

BudgetVerdict mayOrder(const std::vector<RateLimit>& limits, const OrderFacts& order, const Buckets& buckets,
                       TimePoint now) {
    BudgetVerdict verdict;
    for (const BucketId& id : bucketsOf(limits, order)) {
        const RateLimit& limit = *limitOf(limits, id.kind);
        const std::optional<TimePoint> fullAgain = find(buckets, id);
        const std::optional<TimePoint> next = nextOf(limit, fullAgain, now, order.emergency);
        if (!next || (verdict.notBefore && *next <= *verdict.notBefore)) continue;
        verdict = {next, refusal(limit, id, usedOf(limit, fullAgain, now), *next), limit.step(), id};
    }
    return verdict;
}

bool isEmergency(const std::optional<Credential>& current, bool fellBack, TimePoint now) {
    if (!current || !trustedByOthers(*current)) return fellBack;
    return now >= emergencyFrom(current->leaf);
}

std::optional<TimePoint> emergencyOf(const std::optional<Credential>& current, TimePoint now) {
    if (!current || !trustedByOthers(*current) || now >= emergencyFrom(current->leaf)) return std::nullopt;
    return emergencyFrom(current->leaf);
}

std::map<BucketId, BucketForecast> forecast(const std::vector<RateLimit>& limits, Buckets buckets,
                                            std::vector<PlannedOrder> planned, TimePoint now) {
    std::map<BucketId, BucketForecast> result;
    bool accountMade = false;  // by the first of them, for all
    std::ranges::stable_sort(planned, {}, &PlannedOrder::when);
    for (const PlannedOrder& one : planned) {
        const TimePoint when = std::max(one.when, now);
        for (const BucketId& id : bucketsOf(limits, one.order)) {
            if (id.kind == LimitKind::authorizationFailures) continue;  // nobody plans to fail
            if (id.kind == LimitKind::accounts && std::exchange(accountMade, true)) continue;
            const RateLimit& limit = *limitOf(limits, id.kind);
            BucketForecast& seen = result[id];
            ++seen.planned;
            if (nextOf(limit, find(buckets, id), when, one.order.emergency)) {
                if (!seen.usedUpFrom) seen.usedUpFrom = when;
            } else {
                buckets[id] = spent(limit, find(buckets, id), when);
            }
        }
    }
    return result;
}

}  // namespace certmgr
