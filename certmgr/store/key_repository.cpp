#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

// An order that has ended does not need its key any more. A revocation that is due may have to be signed with
// it.
#define CERTMGR_KEY_SERVES                                                                              \
    "(EXISTS (SELECT 1 FROM credentials WHERE credentials.key = keys.id)"                               \
    " OR EXISTS (SELECT 1 FROM uploads WHERE uploads.key = keys.id)"                                    \
    " OR EXISTS (SELECT 1 FROM accounts WHERE keys.id IN (accounts.key, accounts.next_key))"            \
    " OR EXISTS (SELECT 1 FROM authorities WHERE authorities.key = keys.id)"                            \
    " OR EXISTS (SELECT 1 FROM authority_requests WHERE authority_requests.key = keys.id)"              \
    " OR EXISTS (SELECT 1 FROM orders WHERE orders.key = keys.id AND state IN ('intended', 'sending', " \
    "'created'))"                                                                                       \
    " OR EXISTS (SELECT 1 FROM acme_revocations WHERE acme_revocations.key = keys.id AND state = 'due'))"

// RFC 9773 5: a CA has one order at a time replace a certificate, and where that was given up it may answer
// the next one with "alreadyReplaced": then the first has or may have a certificate for this key. Nobody asks
// for that any more once another certificate is in force, and it has none where the CA has taken a later
// order in its place. So there is at most one such key for each certificate.
#define CERTMGR_KEY_MAY_BE_GONE_BACK_TO                                                           \
    "EXISTS (SELECT 1 FROM orders JOIN certificates ON certificates.id = orders.certificate"      \
    " WHERE orders.key = keys.id AND orders.state = 'abandoned' AND orders.url <> ''"             \
    " AND orders.replaces = certificates.current"                                                 \
    " AND NOT EXISTS (SELECT 1 FROM orders AS later WHERE later.certificate = orders.certificate" \
    " AND later.id > orders.id AND later.url <> '' AND later.replaces = orders.replaces))"

#define CERTMGR_KEY_IS_USED "(" CERTMGR_KEY_SERVES " OR " CERTMGR_KEY_MAY_BE_GONE_BACK_TO ")"

KeyRow keyRow(Query& query) {
    KeyRow row;
    row.id = query.key();
    row.purpose = query.text();
    row.made = query.boolean();
    row.backend = query.text();
    row.reasonCode = query.text();
    row.reason = query.text();
    return row;
}

}  // namespace

void KeyRepository::intend(const KeyId& id, const std::string& purpose) {
    Query(database_, "INSERT INTO keys (id, purpose) VALUES (?, ?)", id, purpose).run();
}

void KeyRepository::made(const hal::KeyInfo& info) {
    Query query(
        database_,
        "UPDATE keys SET made = 1, algorithm = ?, backend = ?, reason_code = ?, reason = ? WHERE id = ?",
        hal::toString(info.algorithm), hal::toString(info.backend), info.reasonCode, info.reason, info.id);
    if (query.run() == 0)
        throw Error(ErrorKind::internal, "key-not-found",
                    "the key " + info.id.text() +
                        " was made without being intended first; this is a defect of certmgr");
}

std::optional<KeyRow> KeyRepository::find(const KeyId& id) {
    Query query(database_, "SELECT id, purpose, made, backend, reason_code, reason FROM keys WHERE id = ?",
                id);
    if (!query.next()) return std::nullopt;
    return keyRow(query);
}

std::vector<KeyRow> KeyRepository::list() {
    std::vector<KeyRow> rows;
    Query query(database_, "SELECT id, purpose, made, backend, reason_code, reason FROM keys ORDER BY id");
    while (query.next()) rows.push_back(keyRow(query));
    return rows;
}

std::optional<KeyId> KeyRepository::unmade(const std::string& purpose) {
    Query query(database_,
                "SELECT id FROM keys WHERE purpose = ? AND made = 0 AND NOT " CERTMGR_KEY_IS_USED " LIMIT 1",
                purpose);
    if (!query.next()) return std::nullopt;
    return query.key();
}

std::vector<KeyId> KeyRepository::unreferenced() {
    std::vector<KeyId> keys;
    Query query(database_, "SELECT id FROM keys WHERE NOT " CERTMGR_KEY_IS_USED " ORDER BY id");
    while (query.next()) keys.push_back(query.key());
    return keys;
}

std::vector<KeyId> KeyRepository::spare() {
    std::vector<KeyId> keys;
    Query query(database_, "SELECT id FROM keys WHERE NOT " CERTMGR_KEY_SERVES " ORDER BY id");
    while (query.next()) keys.push_back(query.key());
    return keys;
}

bool KeyRepository::used(const KeyId& id) {
    return Query(database_, "SELECT 1 FROM keys WHERE id = ? AND " CERTMGR_KEY_IS_USED, id).next();
}

void KeyRepository::forget(const KeyId& id) {
    Query query(database_, "DELETE FROM keys WHERE id = ? AND NOT " CERTMGR_KEY_IS_USED, id);
    if (query.run() == 0 && find(id))
        throw Error(ErrorKind::rejected, "key-in-use",
                    "the key " + id.text() +
                        " is still in use by a certificate, account, order, authority or revocation");
}

}  // namespace certmgr::store
