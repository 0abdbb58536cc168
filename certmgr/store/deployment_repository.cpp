#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

#define CERTMGR_SELECT_DEPLOYMENT                                                                       \
    "SELECT service, certificate, wanted, last_good, state, reason, proved_at, failures, next_attempt " \
    "FROM deployments "

DeploymentRow deploymentRow(Query& query) {
    DeploymentRow row;
    row.service = query.text();
    row.certificate = query.text();
    row.wanted = query.integer();
    row.lastGood = query.integer();
    row.state = query.text();
    row.reason = query.text();
    row.provedAt = query.optionalTime();
    row.failures = static_cast<int>(query.integer());
    row.nextAttempt = query.optionalTime();
    return row;
}

}  // namespace

void DeploymentRepository::put(const DeploymentRow& row) {
    Query(database_,
          "INSERT INTO deployments "
          "(service, certificate, wanted, last_good, state, reason, proved_at, failures, next_attempt) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
          "ON CONFLICT (service, certificate) DO UPDATE SET "
          "wanted = excluded.wanted, last_good = excluded.last_good, state = excluded.state, "
          "reason = excluded.reason, proved_at = excluded.proved_at, failures = excluded.failures, "
          "next_attempt = excluded.next_attempt",
          row.service, row.certificate, row.wanted, row.lastGood, row.state, row.reason, row.provedAt,
          row.failures, row.nextAttempt)
        .run();
}

std::optional<DeploymentRow> DeploymentRepository::find(const std::string& service,
                                                        const CertificateId& certificate) {
    Query query(database_, CERTMGR_SELECT_DEPLOYMENT "WHERE service = ? AND certificate = ?", service,
                certificate);
    if (!query.next()) return std::nullopt;
    return deploymentRow(query);
}

std::vector<DeploymentRow> DeploymentRepository::list(const std::string& service) {
    std::vector<DeploymentRow> rows;
    Query query(database_, CERTMGR_SELECT_DEPLOYMENT "WHERE service = ? ORDER BY certificate", service);
    while (query.next()) rows.push_back(deploymentRow(query));
    return rows;
}

std::vector<DeploymentRow> DeploymentRepository::list() {
    std::vector<DeploymentRow> rows;
    Query query(database_, CERTMGR_SELECT_DEPLOYMENT "ORDER BY service, certificate");
    while (query.next()) rows.push_back(deploymentRow(query));
    return rows;
}

std::vector<std::pair<std::string, CertificateId>> DeploymentRepository::servedUnder(
    const std::string& authority) {
    std::vector<std::pair<std::string, CertificateId>> result;
    Query query(
        database_,
        "SELECT service, deployments.certificate FROM deployments JOIN credentials ON generation = "
        "last_good WHERE source = 'local' AND issuer_id = ? ORDER BY service, deployments.certificate",
        authority);
    while (query.next()) {
        std::string service = query.text();
        result.emplace_back(std::move(service), query.text());
    }
    return result;
}

void DeploymentRepository::remove(const std::string& service, const CertificateId& certificate) {
    Query(database_, "DELETE FROM deployments WHERE service = ? AND certificate = ?", service, certificate)
        .run();
}

std::optional<std::string> MetaRepository::get(const std::string& name) {
    Query query(database_, "SELECT value FROM meta WHERE name = ?", name);
    if (!query.next()) return std::nullopt;
    return query.text();
}

void MetaRepository::set(const std::string& name, const std::string& value) {
    Query(database_,
          "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = "
          "excluded.value",
          name, value)
        .run();
}

}  // namespace certmgr::store
