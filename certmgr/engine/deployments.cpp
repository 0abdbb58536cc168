#include "certmgr/engine/deployments.h"

#include <algorithm>
#include <map>

#include "certmgr/core/decision.h"

namespace certmgr::engine {
namespace {

// A service that is not up yet is looked for soon: its start is what the certificate waits for.
constexpr seconds firstLook{2};
constexpr seconds longestLook{60};
// One that is up and was never proved has another fault, such as a wrong port in its profile: each look
// reloads it.
constexpr seconds longestReload{3600};

seconds untilNextLook(int failures, seconds longest) {
    return std::min(longest, seconds(firstLook.count() << std::min(failures, 16)));
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

std::optional<Deployments::Target> Deployments::target(const ServiceProfile& service,
                                                       const Credential& credential,
                                                       const store::DeploymentRow& row) {
    const std::optional<hal::KeyInfo> key = keys_.store().find(credential.key);
    if (!key) return std::nullopt;
    return Target{{credential, keys_.store().reference(credential.key), key->publicKey, service.format},
                  row.lastGood};
}

// The issue lane sees to another certificate; the rest of the service is not held up.
void Deployments::keyIsLost(const ServiceProfile& service, const Credential& credential,
                            const store::DeploymentRow& row) {
    store::DeploymentRow failed = row;
    failed.state = toString(deploy::State::failed);
    failed.reason = "the key of generation " + std::to_string(credential.generation) +
                    " is no longer in the key store; another certificate takes its place";
    records_.deployments.put(failed);
    log_.write({Severity::error,
                event_id::deploymentFailed,
                service.name + " and " + credential.certificate + ": " + failed.reason,
                {{"CERTMGR_SERVICE", service.name}, {"CERTMGR_CERTIFICATE", credential.certificate}}});
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

// What is served already, or lies ready for a service that is down, costs no client anything.
TimePoint Deployments::mayBegin(const ServiceProfile& service, const store::DeploymentRow& row,
                                std::int64_t generation, TimePoint now) {
    if (!service.reloadWindow || !clock_.trust().trusted || row.lastGood == generation ||
        row.state == toString(deploy::State::waiting))
        return now;
    const std::optional<Credential> good = records_.credentials.find(row.lastGood);
    const bool works = good && keys_.store().find(good->key);
    return mayBringAt(*service.reloadWindow, works ? std::optional(good->leaf) : std::nullopt, now,
                      clock_.utcOffset(now));
}

// One that failed keeps its reason.
void Deployments::waitForWindow(store::DeploymentRow& row, std::int64_t generation, TimePoint opening,
                                Result& result) {
    if (row.wanted != generation) {
        row.wanted = generation;
        row.state = "pending";
        row.reason = "waits for the time at which the service may be reloaded, " + formatTime(opening);
        row.failures = 0;
    }
    row.nextAttempt = opening;
    records_.deployments.put(row);
    earliest(result.tryAgain, opening);
    result.touched.insert(row.certificate);
}

void Deployments::clearAwayOthers(const std::vector<ServiceProfile>& services) {
    std::set<std::pair<std::string, CertificateId>> wanted;
    for (const ServiceProfile& service : services)
        for (const CertificateSpec& spec : service.certificates) wanted.emplace(service.name, spec.id);
    for (const store::DeploymentRow& row : records_.deployments.list()) {
        if (wanted.contains({row.service, row.certificate})) continue;
        generations_.removeCertificate(row.service, row.certificate);
        records_.deployments.remove(row.service, row.certificate);
    }
}

// After a restore, or a long time off: another is on its way, and comes here by itself.
bool Deployments::worseThanServed(const ServiceProfile& service, const Credential& credential,
                                  TimePoint now) const {
    if (!clock_.trust().trusted || now < credential.leaf.notAfter) return false;
    const auto active = generations_.active(service.name, credential.certificate);
    return active && *active != credential.generation;
}

bool Deployments::allArrived(const std::vector<ServiceProfile>& services) {
    return std::ranges::all_of(services, [&](const ServiceProfile& service) {
        return std::ranges::all_of(service.certificates, [&](const CertificateSpec& spec) {
            const auto row = records_.deployments.find(service.name, spec.id);
            return row && row->lastGood != 0;
        });
    });
}

Deployments::Result Deployments::bring(const ServiceProfile& service, bool proveAgain,
                                       const std::stop_token& stop) {
    Result result;
    const TimePoint now = clock_.now();
    std::map<CertificateId, store::DeploymentRow> rows = rowsOf(service);
    std::vector<Target> targets;
    for (const auto& [id, generation] : records_.credentials.currentGenerations()) {
        const auto known = rows.find(id);
        if (known == rows.end()) continue;
        store::DeploymentRow& row = known->second;
        if (settled(row, generation) && !proveAgain) continue;
        if (row.wanted == generation && row.nextAttempt && *row.nextAttempt > now && !proveAgain) {
            earliest(result.tryAgain, row.nextAttempt);
            continue;
        }
        if (const TimePoint opening = mayBegin(service, row, generation, now); opening > now) {
            waitForWindow(row, generation, opening, result);
            continue;
        }
        const Credential credential = records_.credentials.find(generation).value();
        if (worseThanServed(service, credential, now)) continue;
        if (row.wanted != generation) row.failures = 0;
        row.wanted = generation;
        if (auto found = target(service, credential, row)) {
            targets.push_back(*std::move(found));
        } else {
            keyIsLost(service, credential, row);
            result.touched.insert(id);
        }
    }
    if (targets.empty()) return result;

    for (const deploy::Outcome& outcome : deployer_.deploy(service, targets, stop)) {
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
        const bool up = outcome.state != deploy::State::waiting;
        row.nextAttempt = now + untilNextLook(row.failures++, up ? longestReload : longestLook);
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
    const bool proved = atItsEnd(outcome.state);
    std::vector<KeyId> retired;  // of generations that nothing can go back to any more
    records_.database.transaction([&] {
        records_.deployments.put(row);
        retired = records_.credentials.retire(outcome.certificate, trustedTime(clock_));
    });
    if (proved) generations_.prune(service.name, outcome.certificate, {outcome.generation, outcome.current});
    for (const KeyId& key : retired) keys_.discard(key);
    if (!news) return;
    log_.write({proved ? Severity::info : Severity::warning,
                proved ? event_id::deploymentProved : event_id::deploymentNotProved,
                service.name + " and generation " + std::to_string(outcome.generation) + " of " +
                    outcome.certificate + ": " + outcome.reason,
                {{"CERTMGR_SERVICE", service.name},
                 {"CERTMGR_CERTIFICATE", outcome.certificate},
                 {"CERTMGR_STATE", row.state}}});
}

Deployments::Checked Deployments::check(const ServiceProfile& service, const std::stop_token& stop) {
    Checked checked;
    std::vector<Target> targets;
    for (const CertificateSpec& spec : service.certificates) {
        const auto current = records_.credentials.current(spec.id);
        auto found = current ? target(service, *current, {service.name, spec.id}) : std::nullopt;
        if (found) {
            targets.push_back(*std::move(found));
        } else {
            checked.lines += spec.id + ": there is no certificate with a key\n";
            checked.good = false;
        }
    }
    for (const deploy::Outcome& outcome : deployer_.check(service, targets, stop)) {
        checked.lines +=
            outcome.certificate + ": " + std::string(toString(outcome.state)) + ", " + outcome.reason + "\n";
        checked.good = checked.good && atItsEnd(outcome.state);
    }
    return checked;
}

}  // namespace certmgr::engine
