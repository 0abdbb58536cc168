// The persist lanes: whether the records of dns-persist-01 that proved a certificate are still there.
#include <algorithm>

#include "certmgr/core/persist_record.h"
#include "certmgr/core/stored_time.h"
#include "certmgr/engine/engine.h"

namespace certmgr::engine {

std::optional<TimePoint> Engine::persistLookDue(const CertificateSpec& spec) {
    const bool provesByRecords = std::ranges::any_of(parts_.solvers, [](const acme::Solver& solver) {
        return solver.kind() == ChallengeKind::dnsPersist01;
    });
    if (!provesByRecords || !whyNoAcme(spec).empty()) return std::nullopt;
    std::optional<TimePoint> due;
    for (const store::PersistRow& row : records_.persist.list(spec.id)) {
        const TimePoint look = believedTime(row.nextLook, parts_.clock.now(), persistLookAgain);
        due = due ? std::min(*due, look) : look;
    }
    return due;
}

void Engine::runPersist(const CertificateId& id) {
    if (stopping_ || removing_.contains(id)) return;
    const std::string lane = "persist:" + id;
    lanes_.run(
        lane, preflightWorkers_,
        [this, id](const std::stop_token& stop) { persistProofs_.lookAgain(id, stop); },
        [this, id, lane](const auto& failure) {
            if (stopping_ || removing_.contains(id)) return;
            if (failure) {
                report(event_id::jobFailed, "looking at the records that prove " + id, *failure);
                schedule_.set(lane, parts_.clock.now() + retryDelay);
            } else {
                runIssue(id);  // shows what was found
            }
        });
}

}  // namespace certmgr::engine
