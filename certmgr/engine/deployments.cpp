#include "certmgr/engine/deployments.h"

#include <algorithm>
#include <map>

#include "certmgr/core/decision.h"

namespace certmgr::engine {
namespace {

// A service that is not up yet is looked for soon: its start is what the certificate waits for.
constexpr seconds firstLook{2};
constexpr seconds longestLook{60};

seconds untilNextLook(int failures) {
    return std::min(longestLook, seconds(firstLook.count() << std::min(failures, 5)));
}

// With nothing more to be done: served and seen, or reloaded where nobody can look.
bool atItsEnd(deploy::State state) {
    return state == deploy::State::proved || state == deploy::State::unproved;
}

bool settled(const store::DeploymentRow& row, std::int64_t generation) {
    return row.wanted == generation &&
           (row.state == toString(deploy::State::proved) || row.state == toString(deploy::State::unproved));
}

void earliest(std::optional<TimePoint>& time, const std::optional<TimePoint>& other) {
    if (other && (!time || *other < *time)) time = other;
}

}  // namespace

Deployments::Target Deployments::target(const ServiceProfile& service, const Credential& credential,
                                        const store::DeploymentRow& row) {
    const std::optional<hal::KeyInfo> key = keys_.store().find(credential.key);
    if (!key)
        throw Error(ErrorKind::internal, "key-not-found",
                    "the key of generation " + std::to_string(credential.generation) + " of " +
                        credential.certificate + " is no longer in the key store; reissue the certificate");
    return {{credential, keys_.store().reference(credential.key), key->publicKey, service.format},
            row.lastGood};
}

// One row for each certificate of the service, also for those that were never deployed.
std::map<CertificateId, store::DeploymentRow> Deployments::rowsOf(const ServiceProfile& service) {
    std::map<CertificateId, store::DeploymentRow> rows;
    for (const CertificateSpec& spec : service.certificates) rows[spec.id] = {service.name, spec.id};
    for (store::DeploymentRow& row : records_.deployments.list(service.name))
        if (const auto found = rows.find(row.certificate); found != rows.end())
            found->second = std::move(row);
    return rows;
}

Deployments::Result Deployments::bring(const ServiceProfile& service, bool proveAgain) {
    Result result;
    const TimePoint now = clock_.now();
    std::map<CertificateId, store::DeploymentRow> rows = rowsOf(service);
    std::vector<Target> targets;
    for (const auto& [id, generation] : records_.credentials.currentGenerations()) {
        const auto found = rows.find(id);
        if (found == rows.end()) continue;
        store::DeploymentRow& row = found->second;
        if (settled(row, generation) && !proveAgain) continue;
        if (row.wanted == generation && row.nextAttempt && *row.nextAttempt > now && !proveAgain) {
            earliest(result.tryAgain, row.nextAttempt);
            continue;
        }
        if (row.wanted != generation) row.failures = 0;
        row.wanted = generation;
        targets.push_back(target(service, records_.credentials.find(generation).value(), row));
    }
    if (targets.empty()) return result;

    for (const deploy::Outcome& outcome : deployer_.deploy(service, targets)) {
        const store::DeploymentRow row = concluded(rows.at(outcome.certificate), outcome);
        conclude(service, row, outcome);
        earliest(result.tryAgain, row.nextAttempt);
        result.touched.insert(outcome.certificate);
    }
    return result;
}

store::DeploymentRow Deployments::concluded(store::DeploymentRow row, const deploy::Outcome& outcome) const {
    const TimePoint now = clock_.now();
    row.state = toString(outcome.state);
    row.reason = outcome.reason;
    row.nextAttempt.reset();
    if (atItsEnd(outcome.state)) {
        row.lastGood = outcome.generation;
        row.failures = 0;
        if (outcome.state == deploy::State::proved) row.provedAt = now;
    } else if (outcome.state == deploy::State::waiting || row.lastGood == 0) {
        // Not running yet, or at the box's first start, when its check still misses the files of another
        // module.
        row.nextAttempt = now + untilNextLook(row.failures++);
    } else {
        row.nextAttempt = nextAttempt(++row.failures, now, std::nullopt, 0.5, std::nullopt);
    }
    return row;
}

void Deployments::conclude(const ServiceProfile& service, const store::DeploymentRow& row,
                           const deploy::Outcome& outcome) {
    const bool news = [&] {
        const auto before = records_.deployments.find(service.name, outcome.certificate);
        return !before || before->state != row.state || before->wanted != row.wanted;
    }();
    records_.deployments.put(row);
    if (atItsEnd(outcome.state)) {
        generations_.prune(service.name, outcome.certificate, {outcome.generation, outcome.current});
        retire(outcome.certificate);
    }
    if (!news) return;
    const bool proved = atItsEnd(outcome.state);
    log_.write({proved ? Severity::info : Severity::warning,
                proved ? event_id::deploymentProved : event_id::deploymentNotProved,
                service.name + " and generation " + std::to_string(outcome.generation) + " of " +
                    outcome.certificate + ": " + outcome.reason,
                {{"CERTMGR_SERVICE", service.name},
                 {"CERTMGR_CERTIFICATE", outcome.certificate},
                 {"CERTMGR_STATE", row.state}}});
}

// The generations that nothing can go back to any more, and their keys.
void Deployments::retire(const CertificateId& id) {
    for (const KeyId& key : records_.credentials.retire(id)) keys_.discard(key);
}

std::vector<std::string> Deployments::check(const ServiceProfile& service) {
    std::vector<Target> targets;
    for (const CertificateSpec& spec : service.certificates) {
        const auto current = records_.credentials.current(spec.id);
        if (current) targets.push_back(target(service, *current, {service.name, spec.id}));
    }
    std::vector<std::string> lines;
    for (const deploy::Outcome& outcome : deployer_.check(service, targets))
        lines.push_back(outcome.certificate + ": " + std::string(toString(outcome.state)) + ", " +
                        outcome.reason);
    return lines;
}

}  // namespace certmgr::engine
