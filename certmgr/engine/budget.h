// What is used of the limits that the CAs set, on record; see core/rate_budget.h.
#pragma once

#include "certmgr/acme/issue.h"
#include "certmgr/engine/acme_commands.h"
#include "certmgr/engine/records.h"

namespace certmgr::engine {

// An order that was not sent, since its CA is known to refuse it: no failure of its certificate.
struct Wait {
    TimePoint until;   // when it is looked at again
    std::string why;   // a sentence for people
    std::string what;  // those that wait for the same have the same
    // The CA has asked all to wait, perhaps by one odd answer, and this order is an emergency: where no other
    // CA is left it goes out all the same, and then at the times of its own failures.
    bool unlessLastChance = false;
};

// Thread-safe. What is spent and given back goes on record in the caller's transaction, with the step that
// does it.
class Budget {
  public:
    Budget(Records& records, const Clock& clock) : records_(records), clock_(clock) {}

    // The order that would be placed for it at that time; without one: now.
    OrderFacts orderFor(const CertificateSpec& spec, const acme::CaSettings& ca, TimePoint when);
    OrderFacts orderFor(const CertificateSpec& spec, const acme::CaSettings& ca) {
        return orderFor(spec, ca, clock_.now());
    }
    // What is used there, and what the orders that are planned there will use.
    CaBudget show(const acme::CaSettings& ca, const std::vector<PlannedOrder>& planned);
    // How far ahead orders are planned there: over the longest window of its limits.
    TimePoint forecastEnd(const acme::CaSettings& ca) const;

    // Absent: it need not. With many that wait for the same, not all come back at once for the next one that
    // is allowed; and each comes no later than it becomes an emergency.
    std::optional<Wait> mustWait(const CertificateId& id, const acme::CaSettings& ca,
                                 const OrderFacts& order);

    // Whether anything may have an order wait at that CA.
    bool limited(const acme::CaSettings& ca) {
        return !ca.limits.empty() || records_.pauses.any(ca.directory);
    }

    // The CA has refused this order, or any (`all`), and said for how long: the others that it means wait
    // too. `told` has no subject.
    void refusedUntil(const acme::CaSettings& ca, const CertificateSpec& spec, const CaPause& told, bool all);
    // Those that are not over; with `spec`, those that hold its order back.
    std::vector<CaPause> pauses(const acme::CaSettings& ca);
    std::vector<CaPause> pauses(const acme::CaSettings& ca, const CertificateSpec& spec);
    std::optional<CaPause> pauseOfAll(const acme::CaSettings& ca);
    // Somebody knows better than the CA has said: the order goes out.
    void lift(const acme::CaSettings& ca, const CertificateSpec& spec);
    // Of an account that is given up.
    void liftAll(const acme::CaSettings& ca) { records_.pauses.removeAll(ca.directory); }

    // newOrder is about to be sent: it and the certificate count from now on. Where it has to wait nothing is
    // spent: of two that were asked for at the same moment not both get the last one.
    std::optional<Wait> spend(const CertificateId& id, const acme::CaSettings& ca, const OrderFacts& order);
    // The CA did not take it.
    void refused(const acme::CaSettings& ca, const OrderFacts& order);
    // It led to no certificate.
    void cameToNothing(const acme::CaSettings& ca, const OrderFacts& order);
    void authorizationsFailed(const acme::CaSettings& ca, OrderFacts order, std::vector<Identifier> names);
    void accountMade(const acme::CaSettings& ca);

  private:
    using Kinds = std::initializer_list<LimitKind>;
    BudgetVerdict ask(const acme::CaSettings& ca, const OrderFacts& order);
    std::vector<CaPause> notOver(const acme::CaSettings& ca, std::vector<CaPause> pauses);
    std::vector<CaPause> holdingBack(const acme::CaSettings& ca, const OrderedNames& order);
    Wait waitAfter(const CaPause& pause, const acme::CaSettings& ca);
    TimePoint spreadFrom(TimePoint begin, seconds step, const std::string& what);
    Wait waitAfter(const BudgetVerdict& verdict, const acme::CaSettings& ca);
    void take(const acme::CaSettings& ca, const OrderFacts& order, Kinds kinds);
    void giveBack(const acme::CaSettings& ca, const OrderFacts& order, Kinds kinds);

    Records& records_;
    const Clock& clock_;
};

}  // namespace certmgr::engine
