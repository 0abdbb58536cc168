#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

#define CERTMGR_SELECT_ISSUED                                                                  \
    "SELECT number, authority, purpose, alternative_names, certificate_pem, issued, revoked, " \
    "revocation_reason, " CERTMGR_SUMMARY_COLUMNS " FROM issued "

IssuedCertificate issuedFrom(Query& query) {
    IssuedCertificate certificate;
    certificate.number = query.integer();
    certificate.authority = query.text();
    const std::string purpose = query.text();
    certificate.purpose = valueOf(purposeFrom(purpose), purpose);
    for (const std::string& name : query.texts()) certificate.names.push_back(parseAlternativeName(name));
    certificate.certificatePem = query.text();
    certificate.issued = query.time();
    const std::optional<TimePoint> revoked = query.optionalTime();
    const std::string reason = query.text();
    if (revoked) certificate.revocation = {*revoked, valueOf(revocationReasonFrom(reason), reason)};
    certificate.summary = query.summary();
    return certificate;
}

std::vector<IssuedCertificate> allOf(Query& query) {
    std::vector<IssuedCertificate> result;
    while (query.next()) result.push_back(issuedFrom(query));
    return result;
}

}  // namespace

std::int64_t IssuedRepository::add(const IssuedCertificate& certificate) {
    std::vector<std::string> names;
    for (const AlternativeName& name : certificate.names) names.push_back(toString(name));
    return Query(database_,
                 "INSERT INTO issued (authority, purpose, alternative_names, certificate_pem, "
                 "issued, " CERTMGR_SUMMARY_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 certificate.authority, toString(certificate.purpose), names, certificate.certificatePem,
                 certificate.issued, certificate.summary)
        .insert();
}

std::vector<IssuedCertificate> IssuedRepository::list(std::int64_t after, int most) {
    Query query(database_, CERTMGR_SELECT_ISSUED "WHERE number > ? ORDER BY number LIMIT ?", after, most);
    return allOf(query);
}

std::optional<IssuedCertificate> IssuedRepository::find(const std::string& serial) {
    Query query(database_, CERTMGR_SELECT_ISSUED "WHERE serial = ?", serial);
    if (!query.next()) return std::nullopt;
    return issuedFrom(query);
}

void IssuedRepository::revoke(const std::string& serial, const Revocation& revocation) {
    Query(database_,
          "UPDATE issued SET revoked = ?, revocation_reason = ? WHERE serial = ? AND revoked IS NULL",
          revocation.when, toString(revocation.reason), serial)
        .run();
}

std::vector<IssuedCertificate> IssuedRepository::revoked(const std::string& authority, TimePoint end) {
    Query query(database_,
                CERTMGR_SELECT_ISSUED
                "WHERE authority = ? AND revoked IS NOT NULL AND not_after > ? ORDER BY serial",
                authority, end);
    return allOf(query);
}

std::int64_t IssuedRepository::valid(const std::string& authority, TimePoint now) {
    Query query(database_,
                "SELECT count(*) FROM issued WHERE authority = ? AND revoked IS NULL AND not_after >= ?",
                authority, now);
    query.next();
    return query.integer();
}

void CrlRepository::put(const CrlRow& row) {
    Query(database_,
          "INSERT OR REPLACE INTO crls (authority, number, this_update, next_update, serials, crl_pem) "
          "VALUES (?, ?, ?, ?, ?, ?)",
          row.authority, row.number, row.thisUpdate, row.nextUpdate, row.serials, row.crlPem)
        .run();
}

std::optional<CrlRow> CrlRepository::find(const std::string& authority) {
    Query query(database_,
                "SELECT authority, number, this_update, next_update, serials, crl_pem FROM crls WHERE "
                "authority = ?",
                authority);
    if (!query.next()) return std::nullopt;
    CrlRow row;
    row.authority = query.text();
    row.number = query.integer();
    row.thisUpdate = query.time();
    row.nextUpdate = query.time();
    row.serials = query.texts();
    row.crlPem = query.text();
    return row;
}

}  // namespace certmgr::store
