#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

#define CERTMGR_CERTIFICATE_COLUMNS                                                                      \
    "id, names, key_algorithm, key_policy, acme, acme_profile, acme_profile_required, preferred_chain, " \
    "users, "                                                                                            \
    "from_profile, profile_only, reissue_asked, "                                                        \
    "failures, next_attempt, last_attempt, last_error, last_error_code, last_problem, proved_by, waits"

CertificateRow certificateRow(Query& query) {
    CertificateRow row;
    row.spec.id = query.text();
    row.spec.names = query.names();
    const std::string algorithm = query.text();
    row.spec.keyAlgorithm = valueOf(hal::keyAlgorithmFrom(algorithm), algorithm);
    const std::string policy = query.text();
    row.spec.keyPolicy = valueOf(hal::keyPolicyFrom(policy), policy);
    row.spec.acme = query.boolean();
    row.spec.acmeProfile.name = query.text();
    row.spec.acmeProfile.required = query.boolean();
    row.spec.preferredChain = query.text();
    row.spec.users = query.texts();
    row.fromProfile = query.boolean();
    row.profileOnly = query.boolean();
    row.reissueAsked = query.boolean();
    row.acme.failures = static_cast<int>(query.integer());
    row.acme.nextAttempt = query.optionalTime();
    row.lastAttempt = query.optionalTime();
    row.lastError = query.text();
    row.lastErrorCode = query.text();
    row.lastProblem = query.text();
    row.provedBy = challengeKindFrom(query.text());
    row.waits = query.text();
    return row;
}

}  // namespace

void CertificateRepository::put(const CertificateSpec& spec, bool fromProfile) {
    Query(database_,
          "INSERT INTO certificates "
          "(id, names, key_algorithm, key_policy, acme, users, from_profile, profile_only, acme_profile, "
          "acme_profile_required, preferred_chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10) "
          "ON CONFLICT (id) DO UPDATE SET names = excluded.names, key_algorithm = excluded.key_algorithm, "
          "key_policy = excluded.key_policy, acme = excluded.acme, users = excluded.users, "
          "from_profile = excluded.from_profile, profile_only = profile_only AND excluded.profile_only, "
          "acme_profile = excluded.acme_profile, acme_profile_required = excluded.acme_profile_required, "
          "preferred_chain = excluded.preferred_chain",
          spec.id, spec.names, hal::toString(spec.keyAlgorithm), hal::toString(spec.keyPolicy), spec.acme,
          spec.users, fromProfile, spec.acmeProfile.name, spec.acmeProfile.required, spec.preferredChain)
        .run();
}

void CertificateRepository::droppedByProfiles(const CertificateId& id) {
    Query(database_, "UPDATE certificates SET from_profile = 0 WHERE id = ?", id).run();
}

std::optional<CertificateRow> CertificateRepository::find(const CertificateId& id) {
    Query query(database_, "SELECT " CERTMGR_CERTIFICATE_COLUMNS " FROM certificates WHERE id = ?", id);
    if (!query.next()) return std::nullopt;
    return certificateRow(query);
}

std::vector<CertificateRow> CertificateRepository::list() {
    std::vector<CertificateRow> rows;
    Query query(database_, "SELECT " CERTMGR_CERTIFICATE_COLUMNS " FROM certificates ORDER BY id");
    while (query.next()) rows.push_back(certificateRow(query));
    return rows;
}

std::vector<KeyId> CertificateRepository::remove(const CertificateId& id) {
    std::vector<KeyId> keys;
    database_.transaction([&] {
        {
            Query query(database_,
                        "SELECT key FROM credentials WHERE certificate = ?1 AND source <> 'uploaded'"
                        " UNION SELECT key FROM orders WHERE certificate = ?1 AND key IS NOT NULL",
                        id);
            while (query.next()) keys.push_back(query.key());
        }
        Query(database_, "DELETE FROM certificates WHERE id = ?", id).run();
    });
    return keys;
}

void CertificateRepository::askReissue(const CertificateId& id, bool asked) {
    Query(database_, "UPDATE certificates SET reissue_asked = ? WHERE id = ?", asked, id).run();
}

void CertificateRepository::attemptFailed(const CertificateId& id, const AttemptRecord& acme, TimePoint when,
                                          const std::string& code, const std::string& error,
                                          const std::string& problem) {
    Query(database_,
          "UPDATE certificates SET failures = ?, next_attempt = ?, last_attempt = ?, last_error_code = ?, "
          "last_error = ?, last_problem = ?, waits = '', waits_for = '' WHERE id = ?",
          acme.failures, acme.nextAttempt, when, code, error, problem, id)
        .run();
}

void CertificateRepository::attemptSucceeded(const CertificateId& id, TimePoint when) {
    Query(
        database_,
        "UPDATE certificates SET failures = 0, next_attempt = NULL, last_attempt = ?, last_error_code = '', "
        "last_error = '', last_problem = '', waits = '', waits_for = '' WHERE id = ?",
        when, id)
        .run();
}

void CertificateRepository::orderWaits(const CertificateId& id, TimePoint now, TimePoint until,
                                       const std::string& why, const std::string& what) {
    Query(database_,
          "UPDATE certificates SET last_attempt = min(last_attempt, ?), next_attempt = ?, waits = ?, "
          "waits_for = ? WHERE id = ?",
          now, until, why, what, id)
        .run();
}

std::int64_t CertificateRepository::waiting(const std::string& what, TimePoint now) {
    Query query(database_, "SELECT count(*) FROM certificates WHERE waits_for = ? AND next_attempt > ?", what,
                now);
    query.next();
    return query.integer();
}

void CertificateRepository::retryNow(const CertificateId& id) {
    Query(database_, "UPDATE certificates SET failures = 0, next_attempt = NULL WHERE id = ?", id).run();
}

void CertificateRepository::setProvedBy(const CertificateId& id, std::optional<ChallengeKind> kind) {
    Query(database_, "UPDATE certificates SET proved_by = ?2 WHERE id = ?1 AND proved_by <> ?2", id,
          kind ? toString(*kind) : "")
        .run();
}

}  // namespace certmgr::store
