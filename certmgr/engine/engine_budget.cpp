// What is used of the limits of the CAs, and what the orders to come will use.
#include <algorithm>
#include <utility>

#include "certmgr/engine/engine.h"
#include "certmgr/engine/view_builder.h"

namespace certmgr::engine {
namespace {

constexpr std::size_t mostBudgetReplies = 16;

}  // namespace

// As decide() would have it, as far as that can be told ahead. Absent: no CA is asked for it.
std::optional<TimePoint> Engine::nextOrder(const store::CertificateRow& row) {
    if (!row.wanted() || !whyNoAcme(row.spec).empty()) return std::nullopt;
    const TimePoint now = parts_.clock.now();
    TimePoint due = now;
    const auto current = records_.credentials.current(row.spec.id);
    const bool lasts = current && current->source != Source::local && !row.reissueAsked &&
                       !records_.acmeRevocations.dueFor(current->key);
    if (lasts) due = renewalOf(records_, *current);
    return std::max({now, due, row.acme.nextAttempt.value_or(now)});
}

std::vector<AcmeIssuer::Coming> Engine::comingOrders() {
    std::vector<AcmeIssuer::Coming> coming;
    for (store::CertificateRow& row : records_.certificates.list()) {
        row.spec.usage = usageOf(row.spec.id);
        if (const auto when = nextOrder(row)) coming.push_back({row.spec, row.acme.failures, *when});
    }
    return coming;
}

// One reading is for all who wait, as with systemTrust().
void Engine::budget(BudgetReply reply) {
    if (stopping_ || budgetReplies_.size() == mostBudgetReplies)
        throw Error(ErrorKind::transient, "busy", "too many ask for the budget at the CAs; ask again");
    budgetReplies_.push_back(std::move(reply));
    if (lanes_.busy("budget")) return;
    auto found = std::make_shared<Budgets>();
    lanes_.run(
        "budget", issueWorkers_,
        [this, found](std::stop_token) { found->cas = acmeIssuer_.budgets(comingOrders()); },
        [this, found](const auto& failure) {
            found->failure = failure;
            for (const BudgetReply& waiting : std::exchange(budgetReplies_, {})) waiting(*found);
        });
}

}  // namespace certmgr::engine
