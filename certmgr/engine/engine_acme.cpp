// The CAs on the net, as the bus asks for them.
#include <utility>

#include "certmgr/engine/engine.h"

namespace certmgr::engine {

std::vector<AcmeAccount> Engine::accounts() {
    return acmeCas_.accounts();
}

std::string Engine::changeAccountKey(const std::string& ca) {
    return accountJob(
        "rollover", [this, ca](const std::stop_token& stop) { return acmeCas_.changeAccountKey(ca, stop); });
}

std::string Engine::deactivateAccount(const std::string& ca) {
    return accountJob("deactivate", [this, ca](const std::stop_token& stop) {
        return acmeCas_.deactivateAccount(ca, stop);
    });
}

// Among the orders, which nobody waits for at the start: it asks a server elsewhere.
std::string Engine::accountJob(const std::string& kind,
                               std::function<std::string(const std::stop_token&)> work) {
    auto result = std::make_shared<std::string>();
    const std::string job = jobs_.begin(kind, "");
    whenStarted([this, kind, job, result, work = std::move(work)] {
        lanes_.run(
            "order: " + kind + " " + job, orderWorkers_,
            [work, result](const std::stop_token& stop) { *result = work(stop); },
            [this, job, result](const auto& failure) {
                failure ? jobs_.failed(job, *failure) : jobs_.done(job, *result);
            });
    });
    return job;
}

std::string Engine::revokeAtCa(const CertificateId& id, const CaRevocationCommand& command) {
    if (!parts_.views.certificates().contains(id)) reject("not-found", "there is no certificate " + id);
    if (removing_.contains(id)) reject("busy", id + " is being deleted");
    if (!command.atOnce || !command.reason.empty()) reasonForCa(command.reason);
    const std::string job = jobs_.begin("revoke", id);
    auto plan = std::make_shared<AcmeRevocations::Plan>();
    lanes_.run(
        "revoke:" + job, issueWorkers_,
        [this, id, command, plan](std::stop_token) {
            *plan = acmeRevocations_.plan(id, command);
            if (!command.dryRun) acmeRevocations_.ask(id, *plan);
        },
        [this, job, id, dryRun = command.dryRun, plan](const auto& failure) {
            if (failure) return jobs_.failed(job, *failure);
            if (dryRun) return jobs_.done(job, plan->sentence());
            followed_[job] = {"revoke", {id}};
            runIssue(id);
            runRevocations();
        });
    return job;
}

void Engine::runRevocations() {
    if (stopping_) return;
    revocationsAgain_ = lanes_.busy(revocationsLane);
    auto round = std::make_shared<AcmeRevocations::Round>();
    lanes_.run(
        revocationsLane, errandWorkers_,
        [this, round](std::stop_token stop) { *round = acmeRevocations_.run(stop); },
        [this, round](const auto& failure) { concludeRevocations(*round, failure); });
}

void Engine::concludeRevocations(const AcmeRevocations::Round& round, const std::optional<Error>& failure) {
    if (stopping_) return;
    if (failure) report(event_id::jobFailed, "revocations at CAs", *failure);
    schedule_.set("revocations", failure ? std::optional(parts_.clock.now() + retryDelay) : round.lookAgain);
    for (const auto& [id, described] : round.described) {
        const auto known = parts_.views.certificates().find(id);
        if (known == parts_.views.certificates().end()) continue;
        CertificateView view = known->second;
        view.revocation = described;
        parts_.views.put(std::move(view));
    }
    if (!failure) {
        revocationsDue_ = round.due;
        lookAtAlarmsSoon();
    }
    // Something was proved while this round ran: the one that waits behind it says what has become of the
    // job.
    if (!std::exchange(revocationsAgain_, false)) settleJobs();
}

}  // namespace certmgr::engine
