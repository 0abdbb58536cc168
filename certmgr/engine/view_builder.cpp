#include "certmgr/engine/view_builder.h"

#include <algorithm>
#include <array>

#include "certmgr/deploy/deployer.h"
#include "certmgr/engine/acme_revocations.h"
#include "certmgr/engine/suggested_renewal.h"

namespace certmgr::engine {
namespace {

std::uint64_t epoch(TimePoint time) {
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
std::uint64_t epoch(const std::optional<TimePoint>& time) {
    return time ? epoch(*time) : 0;
}

// From the worst to the best: a certificate that serves several modules shows the one that needs a look.
constexpr std::array<std::string_view, 6> severity{"failed",  "rolled-back", "pending",
                                                   "waiting", "unproved",    "proved"};

std::string probesOf(const ServiceProfile& service) {
    std::string text;
    for (const ProbeTarget& probe : service.probes) text += (text.empty() ? "" : ", ") + describe(probe);
    return text.empty() ? "none" : text;
}

template <class View>
void describeCertificate(const CertificateSummary& certificate, View& view) {
    view.subject = certificate.subject;
    view.issuer = certificate.issuer;
    view.serial = certificate.serial;
    view.sha256 = certificate.sha256;
    view.notBefore = epoch(certificate.notBefore);
    view.notAfter = epoch(certificate.notAfter);
}

template <class View>
void describeKey(Records& records, const KeyId& id, View& view) {
    const std::optional<store::KeyRow> key = records.keys.find(id);
    if (!key) return;
    view.keyBackend = key->backend;
    view.keyReason = key->reason;
    if constexpr (requires { view.keyReasonCode; }) view.keyReasonCode = key->reasonCode;
}

void describeCredential(Records& records, const Credential& credential, CertificateView& view) {
    view.state = toString(credential.source);
    describeCertificate(credential.leaf, view);
    view.renewAt = epoch(renewalOf(records, credential));
    if (const auto info = records.renewals.find(credential.generation))
        view.renewalExplanation = info->explanationUrl;
    view.acmeProfile = credential.acmeProfile;
    view.acmeProfileReason = credential.acmeProfileReason;
    view.chainReason = credential.chainReason;
    view.generation = credential.generation;
    describeKey(records, credential.key, view);
}

std::vector<std::string> dependentsOf(Records& records, const AuthorityRecord& authority,
                                      const std::vector<AuthorityRecord>& known, TimePoint now) {
    std::vector<std::string> dependents;
    std::int64_t others = 0;
    for (const AuthorityRecord& issuing : known) {
        if (issuing.id != authority.id && issuing.parent != authority.id) continue;
        for (const auto& [service, certificate] : records.deployments.servedUnder(issuing.id))
            dependents.push_back(certificate + " at " + service);
        others += records.issued.valid(issuing.id, now);
    }
    if (others > 0) dependents.push_back(std::to_string(others) + " certificates issued to others");
    return dependents;
}

}  // namespace

TimePoint renewalOf(Records& records, const Credential& credential) {
    switch (credential.source) {
        case Source::local:
            return renewalTime(credential.leaf);
        case Source::acme:
            return acmeRenewalTime(credential.leaf, suggestedRenewal(records, credential));
        case Source::uploaded:
            break;
    }
    return lastStretch(credential.leaf);
}

std::string worstProof(const CertificateView& certificate,
                       const std::map<std::string, ServiceView>& services) {
    std::size_t worst = severity.size();
    for (const std::string& service : certificate.services) {
        const std::vector<DeploymentView>& all = services.at(service).deployments;
        const auto found = std::ranges::find(all, certificate.id, &DeploymentView::certificate);
        const bool meant = found != all.end() && found->wanted == certificate.generation;
        const std::string_view state = meant ? std::string_view(found->state) : "pending";
        const auto rank = std::ranges::find(severity, state) - severity.begin();
        worst = std::min(worst, static_cast<std::size_t>(rank));
    }
    return worst == severity.size() ? "not deployed" : std::string(severity[worst]);
}

// What an order waits for goes before what went wrong with the last one.
std::string errorOf(const store::CertificateRow& row) {
    if (row.waits.empty() || row.lastError.empty()) return row.waits + row.lastError;
    return row.waits + "; the last attempt that was made: " + row.lastError;
}

CertificateView certificateView(Records& records, const store::CertificateRow& row, const Decision& decision,
                                const std::vector<std::string>& services) {
    CertificateView view;
    view.id = row.spec.id;
    for (const Identifier& name : row.spec.names) view.names.push_back(name.value);
    view.services = services;
    view.state = "none";
    view.keyPolicy = toString(row.spec.keyPolicy);
    view.keyAlgorithm = toString(row.spec.keyAlgorithm);
    view.reason = decision.reason;
    view.lastError = errorOf(row);
    view.lastProblem = row.lastProblem;
    view.lastAttempt = epoch(row.lastAttempt);
    view.nextAttempt = epoch(row.acme.nextAttempt);
    view.failures = static_cast<std::uint64_t>(row.acme.failures);
    const store::OrderRepository::Ended lost = records.orders.ended(view.id, store::OrderState::lost);
    const store::OrderRepository::Ended abandoned =
        records.orders.ended(view.id, store::OrderState::abandoned);
    view.lostOrders = lost.count;
    view.lastLostOrder = epoch(lost.newest);
    view.abandonedOrders = abandoned.count;
    view.lastAbandonedOrder = epoch(abandoned.newest);
    if (const auto current = records.credentials.current(row.spec.id))
        describeCredential(records, *current, view);
    view.revocation = describeRevocation(records, view.id);
    return view;
}

void describePersistRecord(Records& records, CertificateView& view) {
    for (const store::PersistRow& row : records.persist.list(view.id)) {
        const bool goes = row.until || !row.complaint.empty();
        const bool first =
            view.persistName.empty() || (view.persistComplaint.empty() &&
                                         (!row.complaint.empty() || epoch(row.until) < view.persistUntil));
        const bool wanted = std::ranges::find(view.names, row.name) != view.names.end();
        if (!goes || !first || !wanted) continue;
        view.persistName = row.name;
        view.persistUntil = epoch(row.until);
        view.persistComplaint = row.complaint;
    }
}

ServiceView serviceView(Records& records, const ServiceProfile& service) {
    ServiceView view{service.name, service.description, service.handle.unit, "", {}};
    view.probe = probesOf(service);
    for (const CertificateSpec& spec : service.certificates) {
        const auto row = records.deployments.find(service.name, spec.id);
        view.deployments.push_back(row ? DeploymentView{spec.id, row->wanted, row->lastGood, row->state,
                                                        row->reason, epoch(row->provedAt),
                                                        epoch(row->nextAttempt),
                                                        static_cast<std::uint64_t>(row->failures)}
                                       : DeploymentView{spec.id, 0, 0, "pending"});
    }
    return view;
}

std::vector<AuthorityView> authorityViews(Records& records, TimePoint now) {
    std::vector<AuthorityView> views;
    const std::vector<AuthorityRecord> known = records.authorities.list();  // newest first
    std::set<AuthorityRole> seen;
    for (const AuthorityRecord& record : known) {
        AuthorityView view;
        view.id = record.id;
        view.role = toString(record.role);
        describeCertificate(record.summary, view);
        describeKey(records, record.key, view);
        if (const auto crl = records.crls.find(record.id)) view.crlNextUpdate = epoch(crl->nextUpdate);
        view.certificatePem = record.certificatePem;
        const bool newest = seen.insert(record.role).second;
        view.state = record.summary.notAfter < now ? "expired" : newest ? "in-force" : "trusted";
        if (!newest) view.dependents = dependentsOf(records, record, known, now);
        views.push_back(std::move(view));
    }
    return views;
}

std::vector<UploadView> uploadViews(Records& records) {
    const std::vector<store::UploadRow> uploads = records.uploads.list();
    if (uploads.empty()) return {};
    const std::vector<store::CertificateRow> certificates = records.certificates.list();
    std::vector<UploadView> views;
    for (const store::UploadRow& upload : uploads) {
        UploadView& view = views.emplace_back();
        view.id = std::to_string(upload.id);
        for (const Identifier& name : upload.leaf.names) view.names.push_back(name.value);
        for (const store::CertificateRow& row : certificates)
            if (coversAll(upload.leaf.names, row.spec.names)) view.certificates.push_back(row.spec.id);
        view.serves = records.uploads.servedBy(upload.id);
        describeCertificate(upload.leaf, view);
        view.uploaded = epoch(upload.uploaded);
        describeKey(records, upload.key, view);
    }
    return views;
}

}  // namespace certmgr::engine
