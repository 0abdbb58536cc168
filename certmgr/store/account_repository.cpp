#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {

void AccountRepository::intend(const std::string& ca, const std::string& directory, const KeyId& key) {
    Query(database_, "INSERT INTO accounts (ca, directory, key) VALUES (?, ?, ?)", ca, directory, key).run();
}

void AccountRepository::registered(const std::string& ca, const std::string& directory,
                                   const std::string& url) {
    Query query(database_, "UPDATE accounts SET url = ? WHERE ca = ? AND directory = ?", url, ca, directory);
    if (query.run() == 0)
        throw Error(ErrorKind::internal, "account-not-found",
                    "the account at " + ca +
                        " was registered without being intended first; this is a defect of certmgr");
}

void AccountRepository::termsSeen(const std::string& ca, const std::string& directory,
                                  const std::string& terms) {
    Query(database_, "UPDATE accounts SET terms = ? WHERE ca = ? AND directory = ? AND terms <> ?", terms, ca,
          directory, terms)
        .run();
}

void AccountRepository::termsAgreed(const std::string& ca, const std::string& directory,
                                    const std::string& terms, TimePoint when) {
    Query(database_,
          "UPDATE accounts SET terms_agreed = ?, terms_agreed_at = ? WHERE ca = ? AND directory = ?", terms,
          when, ca, directory)
        .run();
}

void AccountRepository::intendNextKey(const std::string& ca, const std::string& directory, const KeyId& key) {
    Query(database_, "UPDATE accounts SET next_key = ? WHERE ca = ? AND directory = ?", key, ca, directory)
        .run();
}

void AccountRepository::settleKey(const std::string& ca, const std::string& directory, const KeyId& key) {
    Query(database_, "UPDATE accounts SET key = ?, next_key = NULL WHERE ca = ? AND directory = ?", key, ca,
          directory)
        .run();
}

void AccountRepository::remove(const std::string& ca, const std::string& directory) {
    Query(database_, "DELETE FROM accounts WHERE ca = ? AND directory = ?", ca, directory).run();
}

void AccountRepository::bound(const std::string& ca, const std::string& directory,
                              const std::string& externalKey) {
    Query(database_, "UPDATE accounts SET external_key = ? WHERE ca = ? AND directory = ?", externalKey, ca,
          directory)
        .run();
}

std::optional<AccountRow> AccountRepository::find(const std::string& ca, const std::string& directory) {
    Query query(
        database_,
        "SELECT ca, directory, key, next_key, url, external_key, terms, terms_agreed, terms_agreed_at "
        "FROM accounts WHERE ca = ? AND directory = ?",
        ca, directory);
    if (!query.next()) return std::nullopt;
    AccountRow row;
    row.ca = query.text();
    row.directory = query.text();
    row.key = query.key();
    if (const KeyId next = query.key(); !next.empty()) row.nextKey = next;
    row.url = query.text();
    row.externalKey = query.text();
    row.terms = query.text();
    row.termsAgreed = query.text();
    row.termsAgreedAt = query.optionalTime();
    return row;
}

}  // namespace certmgr::store
