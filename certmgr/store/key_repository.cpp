#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

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

void KeyRepository::forget(const KeyId& id) {
    try {
        Query(database_, "DELETE FROM keys WHERE id = ?", id).run();
    } catch (const Error& error) {
        if (error.code() != "database-reference") throw;
        throw Error(
            ErrorKind::rejected, "key-in-use",
            "the key " + id.text() + " is still in use by a certificate, account, order or authority");
    }
}

}  // namespace certmgr::store
