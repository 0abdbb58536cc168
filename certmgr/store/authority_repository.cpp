#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

#define CERTMGR_SELECT_AUTHORITY                                                            \
    "SELECT id, role, key, certificate_pem, coalesce(parent, ''), " CERTMGR_SUMMARY_COLUMNS \
    ", upper_chain_pem FROM authorities "

AuthorityRecord authorityFrom(Query& query) {
    AuthorityRecord record;
    record.id = query.text();
    const std::string role = query.text();
    record.role = valueOf(authorityRoleFrom(role), role);
    record.key = query.key();
    record.certificatePem = query.text();
    record.parent = query.text();
    record.summary = query.summary();
    record.upperChainPem = query.text();
    return record;
}

}  // namespace

void AuthorityRepository::add(const AuthorityRecord& record) {
    Query(database_,
          "INSERT INTO authorities (id, role, key, certificate_pem, parent, " CERTMGR_SUMMARY_COLUMNS
          ", upper_chain_pem) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          record.id, toString(record.role), record.key, record.certificatePem,
          record.parent.empty() ? std::nullopt : std::optional(record.parent), record.summary,
          record.upperChainPem)
        .run();
    Query(database_, "DELETE FROM authority_requests WHERE key = ?", record.key).run();
}

std::vector<AuthorityRecord> AuthorityRepository::list() {
    std::vector<AuthorityRecord> records;
    Query query(database_, CERTMGR_SELECT_AUTHORITY "ORDER BY number DESC");
    while (query.next()) records.push_back(authorityFrom(query));
    return records;
}

std::optional<AuthorityRecord> AuthorityRepository::newest(AuthorityRole role) {
    Query query(database_, CERTMGR_SELECT_AUTHORITY "WHERE role = ? ORDER BY number DESC LIMIT 1",
                toString(role));
    if (!query.next()) return std::nullopt;
    return authorityFrom(query);
}

std::string AuthorityRepository::nextId(AuthorityRole role) {
    Query query(database_,
                "SELECT coalesce(max(CAST(substr(id, length(role) + 2) AS INTEGER)), 0) + 1 FROM authorities "
                "WHERE role = ?",
                toString(role));
    query.next();
    return std::string(toString(role)) + "-" + std::to_string(query.integer());
}

void AuthorityRepository::request(const KeyId& key) {
    database_.transaction([&] {
        Query(database_, "DELETE FROM authority_requests").run();
        Query(database_, "INSERT INTO authority_requests (key) VALUES (?)", key).run();
    });
}

std::optional<KeyId> AuthorityRepository::requested() {
    Query query(database_, "SELECT key FROM authority_requests");
    if (!query.next()) return std::nullopt;
    return query.key();
}

void AuthorityRepository::addCross(const CrossCertificate& cross) {
    Query(database_,
          "INSERT OR REPLACE INTO cross_certificates (subject, issuer, certificate_pem, not_after) "
          "VALUES (?, ?, ?, ?)",
          cross.subject, cross.issuer, cross.certificatePem, cross.notAfter)
        .run();
}

std::vector<CrossCertificate> AuthorityRepository::crossCertificates() {
    std::vector<CrossCertificate> result;
    Query query(database_,
                "SELECT subject, issuer, certificate_pem, not_after FROM cross_certificates "
                "ORDER BY subject, issuer");
    while (query.next()) {
        CrossCertificate& cross = result.emplace_back();
        cross.subject = query.text();
        cross.issuer = query.text();
        cross.certificatePem = query.text();
        cross.notAfter = query.time();
    }
    return result;
}

}  // namespace certmgr::store
