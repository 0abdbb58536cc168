// What is used of the limits of the CAs, and what the orders to come will use.
#include <algorithm>
#include <utility>

#include "certmgr/engine/engine.h"
#include "certmgr/engine/view_builder.h"

namespace certmgr::engine {

// As decide() would have it, as far as that can be told ahead. Absent: no CA is asked for it.
std::optional<TimePoint> Engine::nextOrder(const store::CertificateRow& row) {
    if (!row.wanted() || !whyNoAcme(row.spec).empty()) return std::nullopt;
    const TimePoint now = parts_.clock.now();
    TimePoint due = now;
    const auto current = records_.credentials.current(row.spec.id);
    const bool lasts = current && current->source != Source::local && !row.reissueAsked &&
                       !records_.acmeRevocations.dueFor(current->key);
    if (lasts) due = renewalOf(records_, *current);
    return std::max({now, due, row.nextAttempt(now).value_or(now)});
}

std::vector<AcmeIssuer::Coming> Engine::comingOrders() {
    std::vector<AcmeIssuer::Coming> coming;
    for (store::CertificateRow& row : records_.certificates.list()) {
        row.spec.usage = usageOf(row.spec.id);
        if (const auto when = nextOrder(row)) coming.push_back({row.spec, row.acme.failures, *when});
    }
    return coming;
}

void Engine::budget(BudgetReply reply) {
    budgetReading_.ask(lanes_, issueWorkers_, std::move(reply),
                       [this](Budgets& found) { found.cas = acmeIssuer_.budgets(comingOrders()); });
}

}  // namespace certmgr::engine
