#include "certmgr/engine/budget.h"

#include <algorithm>

#include "certmgr/crypto/registered_domain.h"
#include "certmgr/engine/jitter.h"

namespace certmgr::engine {
namespace {

bool wantedAt(const std::optional<RenewalInfo>& info, TimePoint when) {
    return info && info->window && info->window->start <= when && when < info->window->end;
}

std::vector<std::string> domainsOf(const std::vector<Identifier>& names) {
    std::set<std::string> domains;
    for (const Identifier& name : names) domains.insert(crypto::registeredDomain(name));
    return {domains.begin(), domains.end()};
}

// Of those that wait for the same: Let's Encrypt takes one in 36 seconds of an account.
constexpr seconds spreadOfPause{36};

bool issuedBy(const acme::CaSettings& ca, const Credential& credential) {
    return credential.source == Source::acme && credential.issuerId == ca.name;
}

}  // namespace

OrderFacts Budget::orderFor(const CertificateSpec& spec, const acme::CaSettings& ca, TimePoint when) {
    const std::optional<Credential> current = records_.credentials.current(spec.id);
    bool hadBetter = false;
    OrderFacts order;
    for (const Credential& one : records_.credentials.history(spec.id)) {
        hadBetter = hadBetter || one.source != Source::local;
        order.renewal = order.renewal || (issuedBy(ca, one) && one.leaf.names == spec.names);
    }
    if (const auto account = records_.accounts.find(ca.name, ca.directory)) order.account = account->url;
    order.names = spec.names;
    order.domains = domainsOf(spec.names);
    order.suggested =
        current && issuedBy(ca, *current) && wantedAt(records_.renewals.find(current->generation), when);
    order.emergency = isEmergency(current, hadBetter, when);
    return order;
}

TimePoint Budget::forecastEnd(const acme::CaSettings& ca) const {
    seconds longest{0};
    for (const RateLimit& limit : ca.limits) longest = std::max(longest, limit.window);
    return clock_.now() + longest;
}

CaBudget Budget::show(const acme::CaSettings& ca, const std::vector<PlannedOrder>& planned) {
    const TimePoint now = clock_.now();
    CaBudget shown{ca.name, ca.forTests, !ca.limits.empty(), forecastEnd(ca), {}, pauses(ca)};
    const Buckets buckets = records_.budget.list(ca.directory);
    std::map<BucketId, BucketForecast> listed = forecast(ca.limits, buckets, planned, now);
    for (const auto& [id, fullAgain] : buckets)
        if (const RateLimit* const limit = limitOf(ca.limits, id.kind);
            limit && usedOf(*limit, fullAgain, now) > 0)
            listed.try_emplace(id);
    for (const auto& [id, coming] : listed) {
        const RateLimit& limit = *limitOf(ca.limits, id.kind);
        const auto known = buckets.find(id);
        const auto fullAgain = known == buckets.end() ? std::nullopt : std::optional(known->second);
        shown.entries.push_back({id, limit, usedOf(limit, fullAgain, now),
                                 nextOf(limit, fullAgain, now, /*emergency=*/false), coming});
    }
    return shown;
}

BudgetVerdict Budget::ask(const acme::CaSettings& ca, const OrderFacts& order) {
    const TimePoint now = clock_.now();
    Buckets buckets;
    for (const BucketId& id : bucketsOf(ca.limits, order)) {
        const std::optional<TimePoint> known = records_.budget.fullAgain(ca.directory, id);
        if (!known) continue;
        const TimePoint fullAgain = believed(*limitOf(ca.limits, id.kind), *known, now);
        // What a wrong clock stored has to age from now on, or it would block until its time.
        if (fullAgain != *known && clock_.trust().trusted) records_.budget.put(ca.directory, id, fullAgain);
        buckets.emplace(id, fullAgain);
    }
    return mayOrder(ca.limits, order, buckets, now);
}

std::optional<Wait> Budget::mustWait(const CertificateId& id, const acme::CaSettings& ca,
                                     const OrderFacts& order) {
    std::optional<Wait> wait;
    records_.database.transaction([&] {
        std::optional<CaPause> ofAll, longest;
        for (const CaPause& pause : holdingBack(ca, {order.names, order.domains})) {
            if (isExempt(order, pause, ca.limits)) continue;
            std::optional<CaPause>& kind = order.emergency && pause.subject.empty() ? ofAll : longest;
            if (!kind || pause.until > kind->until) kind = pause;
        }
        if (longest) {
            wait = waitAfter(*longest, ca);
        } else if (const BudgetVerdict verdict = ask(ca, order); verdict.notBefore) {
            wait = waitAfter(verdict, ca);
        } else if (ofAll) {
            wait = waitAfter(*ofAll, ca);
            wait->unlessLastChance = true;
        }
        if (!wait) return;
        // An emergency gets what others do not: as soon as it is one it is looked at again.
        if (const auto emergency = emergencyOf(records_.credentials.current(id), clock_.now()))
            wait->until = std::min(wait->until, *emergency);
    });
    return wait;
}

void Budget::refusedUntil(const acme::CaSettings& ca, const CertificateSpec& spec, const CaPause& told,
                          bool all) {
    const TimePoint now = clock_.now();
    std::set<std::string> meant{""};
    if (!all) meant = subjectsMeant(told.reason, {spec.names, domainsOf(spec.names)});
    if (!told.url.empty() && meant.erase("") > 0)  // names are what a person can go and see to
        for (const Identifier& name : spec.names) meant.insert(name.value);
    records_.database.transaction([&] {
        if (clock_.trust().trusted) records_.pauses.forgetOver(now);
        for (const std::string& subject : meant) {
            CaPause pause{subject, told.until, told.reason, told.url};
            pause.until = endOf(pause, now);
            records_.pauses.put(ca.directory, pause);
        }
    });
}

// One that was stored by a clock that was wrong has to age from now on, as a bucket.
std::vector<CaPause> Budget::notOver(const acme::CaSettings& ca, std::vector<CaPause> pauses) {
    const TimePoint now = clock_.now();
    std::erase_if(pauses, [&](const CaPause& pause) { return pause.until <= now; });
    for (CaPause& pause : pauses) {
        const TimePoint end = endOf(pause, now);
        if (pause.until == end) continue;
        pause.until = end;
        if (clock_.trust().trusted) records_.pauses.put(ca.directory, pause);
    }
    return pauses;
}

// A CA may have paused a thousand names, and each of their certificates asks: only its own are read.
std::vector<CaPause> Budget::holdingBack(const acme::CaSettings& ca, const OrderedNames& order) {
    std::vector<CaPause> pauses;
    for (const std::string& subject : subjectsOf(order))
        if (auto pause = records_.pauses.find(ca.directory, subject)) pauses.push_back(std::move(*pause));
    return notOver(ca, std::move(pauses));
}

std::vector<CaPause> Budget::pauses(const acme::CaSettings& ca) {
    return notOver(ca, records_.pauses.list(ca.directory));
}

std::vector<CaPause> Budget::pauses(const acme::CaSettings& ca, const CertificateSpec& spec) {
    if (!records_.pauses.any(ca.directory)) return {};
    return holdingBack(ca, {spec.names, domainsOf(spec.names)});
}

std::optional<CaPause> Budget::pauseOfAll(const acme::CaSettings& ca) {
    const std::vector<CaPause> pauses = holdingBack(ca, {});
    return pauses.empty() ? std::nullopt : std::optional(pauses.front());
}

void Budget::lift(const acme::CaSettings& ca, const CertificateSpec& spec) {
    for (const CaPause& pause : pauses(ca, spec)) records_.pauses.remove(ca.directory, pause.subject);
}

Wait Budget::waitAfter(const CaPause& pause, const acme::CaSettings& ca) {
    Wait wait;
    wait.why = ca.name + ": not asked until " + formatTime(pause.until) + ", since it has " +
               (pause.url.empty() ? "asked to wait: " : "paused " + pause.subject + ": ") + pause.reason;
    wait.what = ca.directory + " paused " + pause.subject;
    wait.until = spreadFrom(pause.until, spreadOfPause, wait.what);
    return wait;
}

TimePoint Budget::spreadFrom(TimePoint begin, seconds step, const std::string& what) {
    const auto others = static_cast<double>(records_.certificates.waiting(what, clock_.now()));
    const double spread = static_cast<double>(step.count()) * others * jitter();
    return begin + seconds(static_cast<seconds::rep>(spread));
}

Wait Budget::waitAfter(const BudgetVerdict& verdict, const acme::CaSettings& ca) {
    Wait wait;
    wait.why = ca.name + ": " + verdict.reason;
    wait.what = ca.directory + " " + std::string(toString(verdict.bucket.kind)) + " " +
                verdict.bucket.account + " " + verdict.bucket.subject;
    wait.until = spreadFrom(*verdict.notBefore, verdict.step, wait.what);
    return wait;
}

std::optional<Wait> Budget::spend(const CertificateId& id, const acme::CaSettings& ca,
                                  const OrderFacts& order) {
    if (auto wait = mustWait(id, ca, order); wait && !wait->unlessLastChance) return wait;
    take(ca, order, {LimitKind::orders, LimitKind::certificatesPerDomain, LimitKind::certificatesPerSet});
    return std::nullopt;
}

void Budget::take(const acme::CaSettings& ca, const OrderFacts& order, Kinds kinds) {
    const TimePoint now = clock_.now();
    for (const BucketId& id : bucketsOf(ca.limits, order)) {
        if (std::ranges::find(kinds, id.kind) == kinds.end()) continue;
        records_.budget.put(
            ca.directory, id,
            spent(*limitOf(ca.limits, id.kind), records_.budget.fullAgain(ca.directory, id), now));
    }
    if (clock_.trust().trusted) records_.budget.forgetFull(now);
}

void Budget::giveBack(const acme::CaSettings& ca, const OrderFacts& order, Kinds kinds) {
    for (const BucketId& id : bucketsOf(ca.limits, order)) {
        if (std::ranges::find(kinds, id.kind) == kinds.end()) continue;
        if (const auto known = records_.budget.fullAgain(ca.directory, id))
            records_.budget.put(ca.directory, id, givenBack(*limitOf(ca.limits, id.kind), *known));
    }
}

void Budget::refused(const acme::CaSettings& ca, const OrderFacts& order) {
    giveBack(ca, order, {LimitKind::orders});
    cameToNothing(ca, order);
}

void Budget::cameToNothing(const acme::CaSettings& ca, const OrderFacts& order) {
    giveBack(ca, order, {LimitKind::certificatesPerDomain, LimitKind::certificatesPerSet});
}

void Budget::authorizationsFailed(const acme::CaSettings& ca, OrderFacts order,
                                  std::vector<Identifier> names) {
    order.names = std::move(names);
    order.suggested = false;  // what fails counts whatever it was for
    take(ca, order, {LimitKind::authorizationFailures});
}

void Budget::accountMade(const acme::CaSettings& ca) {
    take(ca, OrderFacts{}, {LimitKind::accounts});
}

}  // namespace certmgr::engine
