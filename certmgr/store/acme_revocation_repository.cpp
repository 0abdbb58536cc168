#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

#define CERTMGR_ACME_REVOCATION                                                                    \
    "SELECT id, certificate, ca, directory, key, leaf_pem, reason, asked, state, at_once, words, " \
    "failures, next_attempt, " CERTMGR_SUMMARY_COLUMNS " FROM acme_revocations "

// Of one that is asked for again.
#define CERTMGR_ANOTHER_REASON                                                                \
    "(state IN ('refused', 'obsolete') OR (excluded.reason = 'key-compromise' AND reason <> " \
    "'key-compromise'))"

AcmeRevocationRow acmeRevocationRow(Query& query) {
    AcmeRevocationRow row;
    row.id = query.integer();
    row.certificate = query.text();
    row.ca = query.text();
    row.directory = query.text();
    row.key = query.key();
    row.leafPem = query.text();
    const std::string reason = query.text();
    row.reason = valueOf(revocationReasonFrom(reason), reason);
    row.asked = query.time();
    const std::string state = query.text();
    row.state = valueOf(acmeRevocationStateFrom(state), state);
    row.atOnce = query.boolean();
    row.words = query.text();
    row.attempts.failures = static_cast<int>(query.integer());
    row.attempts.nextAttempt = query.optionalTime();
    row.leaf = query.summary();
    return row;
}

std::vector<AcmeRevocationRow> acmeRevocationRows(Query& query) {
    std::vector<AcmeRevocationRow> rows;
    while (query.next()) rows.push_back(acmeRevocationRow(query));
    return rows;
}

}  // namespace

void AcmeRevocationRepository::ask(const AcmeRevocationRow& row) {
    Query(database_,
          "INSERT INTO acme_revocations (certificate, ca, directory, key, leaf_pem, reason, asked, at_once, "
          "state, " CERTMGR_SUMMARY_COLUMNS
          ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'due', ?, ?, ?, ?, ?, ?, ?) "
          "ON CONFLICT (sha256) DO UPDATE SET "
          "reason = CASE WHEN " CERTMGR_ANOTHER_REASON
          " THEN excluded.reason ELSE reason END, "
          "asked = CASE WHEN " CERTMGR_ANOTHER_REASON
          " THEN excluded.asked ELSE asked END, "
          "at_once = excluded.at_once OR (at_once AND state = 'due'), "
          "state = 'due', words = '', failures = 0, next_attempt = NULL "
          "WHERE state IN ('refused', 'obsolete') OR "
          "(state = 'due' AND (excluded.reason = 'key-compromise' OR excluded.at_once))",
          row.certificate, row.ca, row.directory, row.key, row.leafPem, toString(row.reason), row.asked,
          row.atOnce, row.leaf)
        .run();
}

void AcmeRevocationRepository::resume(TimePoint now) {
    Query(database_,
          "UPDATE acme_revocations SET state = 'due', words = '' WHERE state = 'obsolete' AND not_after > ?",
          now)
        .run();
}

std::vector<AcmeRevocationRow> AcmeRevocationRepository::due() {
    Query query(database_, CERTMGR_ACME_REVOCATION "WHERE state = 'due' ORDER BY id");
    return acmeRevocationRows(query);
}

std::vector<AcmeRevocationRow> AcmeRevocationRepository::list(const CertificateId& certificate) {
    Query query(database_, CERTMGR_ACME_REVOCATION "WHERE certificate = ? ORDER BY id DESC", certificate);
    return acmeRevocationRows(query);
}

std::optional<DueRevocation> AcmeRevocationRepository::dueFor(const KeyId& key) {
    Query query(database_,
                "SELECT reason, asked FROM acme_revocations WHERE key = ? AND state = 'due' "
                "ORDER BY reason = 'key-compromise' DESC, asked LIMIT 1",
                key);
    if (!query.next()) return std::nullopt;
    const std::string reason = query.text();
    return DueRevocation{valueOf(revocationReasonFrom(reason), reason), query.time()};
}

void AcmeRevocationRepository::waits(std::int64_t id, const std::string& words) {
    Query(database_, "UPDATE acme_revocations SET words = ? WHERE id = ? AND state = 'due'", words, id).run();
}

void AcmeRevocationRepository::attemptFailed(std::int64_t id, const AttemptRecord& attempts,
                                             const std::string& words) {
    Query(database_, "UPDATE acme_revocations SET failures = ?, next_attempt = ?, words = ? WHERE id = ?",
          attempts.failures, attempts.nextAttempt, words, id)
        .run();
}

void AcmeRevocationRepository::ended(std::int64_t id, AcmeRevocationState state, const std::string& words) {
    Query(database_, "UPDATE acme_revocations SET state = ?, words = ?, next_attempt = NULL WHERE id = ?",
          toString(state), words, id)
        .run();
}

}  // namespace certmgr::store
