// The renewal lanes: when each CA wants its certificates renewed (RFC 9773).
#include "certmgr/engine/engine.h"

namespace certmgr::engine {

// 4.3.3: nobody asks for a certificate that has expired or was replaced.
std::optional<TimePoint> Engine::renewalQueryDue(const CertificateSpec& spec) {
    const TimePoint now = parts_.clock.now();
    if (!parts_.clock.trust().trusted || !whyNoAcme(spec).empty()) return std::nullopt;
    const std::optional<Credential> current = records_.credentials.current(spec.id);
    if (!current || current->source != Source::acme || now >= current->leaf.notAfter) return std::nullopt;
    const std::optional<RenewalInfo> known = records_.renewals.find(current->generation);
    return known ? believedQuery(known->nextQuery, now) : now;
}

void Engine::renewalTurn(const CertificateId& id, const std::stop_token& stop) {
    const auto row = records_.certificates.find(id);
    if (!row) return;
    const std::optional<TimePoint> due = renewalQueryDue(row->spec);
    if (!due || *due > parts_.clock.now()) return;
    const Credential current = records_.credentials.current(id).value();
    const std::optional<RenewalInfo> known = records_.renewals.find(current.generation);
    records_.renewals.put(current.generation, acmeIssuer_.renewalInfo(current, known, stop));
}

void Engine::runRenewal(const CertificateId& id) {
    if (stopping_ || removing_.contains(id)) return;
    const std::string lane = "renewal:" + id;
    lanes_.run(
        lane, renewalWorkers_, [this, id](std::stop_token stop) { renewalTurn(id, stop); },
        [this, id, lane](const auto& failure) {
            if (stopping_ || removing_.contains(id)) return;
            if (failure) {
                report(event_id::jobFailed, "asking when " + id + " is to be renewed", *failure);
                schedule_.set(lane, parts_.clock.now() + retryDelay);
            } else {
                runIssue(id);  // it may be due now
            }
        });
}

}  // namespace certmgr::engine
