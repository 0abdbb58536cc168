#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

#define CERTMGR_SELECT_CREDENTIAL                                         \
    "SELECT generation, certificate, source, key, chain_pem, issuer_id, " \
    "(SELECT algorithm FROM keys WHERE keys.id = key), acme_profile, "    \
    "acme_profile_reason, chain_reason, " CERTMGR_SUMMARY_COLUMNS " FROM credentials "

// Of the certificate ?1.
#define CERTMGR_OF_NO_MORE_USE                                                                        \
    "certificate = ?1 AND source <> 'uploaded'"                                                       \
    " AND generation NOT IN (SELECT generation FROM credentials WHERE certificate = ?1"               \
    "                        ORDER BY generation DESC LIMIT 2)"                                       \
    " AND generation NOT IN (SELECT generation FROM credentials WHERE certificate = ?1"               \
    "                        AND source = 'acme' ORDER BY generation DESC LIMIT 1)"                   \
    " AND generation NOT IN (SELECT current FROM certificates WHERE id = ?1 AND current IS NOT NULL)" \
    " AND generation NOT IN (SELECT wanted FROM deployments WHERE certificate = ?1)"                  \
    " AND generation NOT IN (SELECT last_good FROM deployments WHERE certificate = ?1)"

Credential credentialFrom(Query& query) {
    Credential credential;
    credential.generation = query.integer();
    credential.certificate = query.text();
    const std::string source = query.text();
    credential.source = valueOf(sourceFrom(source), source);
    credential.key = query.key();
    credential.chainPem = query.text();
    credential.issuerId = query.text();
    credential.keyAlgorithm = hal::keyAlgorithmFrom(query.text());
    credential.acmeProfile = query.text();
    credential.acmeProfileReason = query.text();
    credential.chainReason = query.text();
    credential.leaf = query.summary();
    return credential;
}

}  // namespace

std::int64_t CredentialRepository::add(const Credential& credential, TimePoint when) {
    return Query(database_,
                 "INSERT INTO credentials (certificate, source, key, chain_pem, issuer_id, added, "
                 "acme_profile, "
                 "acme_profile_reason, chain_reason, " CERTMGR_SUMMARY_COLUMNS
                 ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 credential.certificate, toString(credential.source), credential.key, credential.chainPem,
                 credential.issuerId, when, credential.acmeProfile, credential.acmeProfileReason,
                 credential.chainReason, credential.leaf)
        .insert();
}

std::optional<Credential> CredentialRepository::find(std::int64_t generation) {
    Query query(database_, CERTMGR_SELECT_CREDENTIAL "WHERE generation = ?", generation);
    if (!query.next()) return std::nullopt;
    return credentialFrom(query);
}

std::optional<Credential> CredentialRepository::current(const CertificateId& id) {
    Query query(
        database_,
        CERTMGR_SELECT_CREDENTIAL "WHERE generation = (SELECT current FROM certificates WHERE id = ?)", id);
    if (!query.next()) return std::nullopt;
    return credentialFrom(query);
}

std::vector<Credential> CredentialRepository::history(const CertificateId& id) {
    std::vector<Credential> result;
    Query query(database_, CERTMGR_SELECT_CREDENTIAL "WHERE certificate = ? ORDER BY generation DESC", id);
    while (query.next()) result.push_back(credentialFrom(query));
    return result;
}

void CredentialRepository::setCurrent(const CertificateId& id, std::int64_t generation) {
    Query query(database_, "UPDATE certificates SET current = ? WHERE id = ?", generation, id);
    if (query.run() == 0)
        throw Error(ErrorKind::rejected, "certificate-not-found",
                    "there is no certificate " + id + " any more");
}

std::vector<std::pair<CertificateId, std::int64_t>> CredentialRepository::currentGenerations() {
    std::vector<std::pair<CertificateId, std::int64_t>> result;
    Query query(database_, "SELECT id, current FROM certificates WHERE current IS NOT NULL ORDER BY id");
    while (query.next()) {
        std::string id = query.text();
        result.emplace_back(std::move(id), query.integer());
    }
    return result;
}

std::vector<KeyId> CredentialRepository::retire(const CertificateId& id, std::optional<TimePoint> now) {
    std::vector<KeyId> keys;
    database_.transaction([&] {
        if (now) Query(database_, "DELETE FROM retired_certificates WHERE not_after <= ?", *now).run();
        Query(database_,
              "INSERT OR IGNORE INTO retired_certificates "
              "(certificate, ca, directory, chain_pem, " CERTMGR_SUMMARY_COLUMNS
              ") SELECT certificate, issuer_id, coalesce((SELECT directory FROM orders"
              " WHERE orders.key = credentials.key ORDER BY id DESC LIMIT 1), ''), "
              "chain_pem, " CERTMGR_SUMMARY_COLUMNS
              " FROM credentials WHERE source = 'acme' AND " CERTMGR_OF_NO_MORE_USE,
              id)
            .run();
        Query query(database_, "DELETE FROM credentials WHERE " CERTMGR_OF_NO_MORE_USE " RETURNING key", id);
        while (query.next()) keys.push_back(query.key());
    });
    return keys;
}

std::vector<RetiredCertificate> CredentialRepository::retired(const CertificateId& id) {
    std::vector<RetiredCertificate> result;
    Query query(database_,
                "SELECT ca, directory, chain_pem, " CERTMGR_SUMMARY_COLUMNS
                " FROM retired_certificates WHERE certificate = ? ORDER BY not_after DESC",
                id);
    while (query.next()) {
        RetiredCertificate& row = result.emplace_back();
        row.ca = query.text();
        row.directory = query.text();
        row.chainPem = query.text();
        row.leaf = query.summary();
    }
    return result;
}

std::int64_t UploadRepository::add(const UploadRow& upload) {
    return Query(database_,
                 "INSERT INTO uploads (key, chain_pem, uploaded, " CERTMGR_SUMMARY_COLUMNS
                 ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 upload.key, upload.chainPem, upload.uploaded, upload.leaf)
        .insert();
}

std::vector<UploadRow> UploadRepository::list() {
    std::vector<UploadRow> rows;
    Query query(database_,
                "SELECT id, key, chain_pem, uploaded, " CERTMGR_SUMMARY_COLUMNS " FROM uploads ORDER BY id");
    while (query.next()) {
        UploadRow& row = rows.emplace_back();
        row.id = query.integer();
        row.key = query.key();
        row.chainPem = query.text();
        row.uploaded = query.time();
        row.leaf = query.summary();
    }
    return rows;
}

std::vector<CertificateId> UploadRepository::servedBy(std::int64_t id) {
    std::vector<CertificateId> certificates;
    Query query(database_,
                "SELECT certificate FROM credentials"
                " WHERE key = (SELECT key FROM uploads WHERE id = ?)"
                " AND (generation IN (SELECT current FROM certificates WHERE current IS NOT NULL)"
                "      OR generation IN (SELECT wanted FROM deployments)"
                "      OR generation IN (SELECT last_good FROM deployments)) ORDER BY certificate",
                id);
    while (query.next()) certificates.push_back(query.text());
    return certificates;
}

void UploadRepository::remove(std::int64_t id) {
    database_.transaction([&] {
        Query(database_, "DELETE FROM credentials WHERE key = (SELECT key FROM uploads WHERE id = ?)", id)
            .run();
        Query(database_, "DELETE FROM uploads WHERE id = ?", id).run();
    });
}

}  // namespace certmgr::store
