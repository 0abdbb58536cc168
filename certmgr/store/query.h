// One use of a prepared statement by a repository: values in, rows out, reset at the end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "certmgr/core/certificate.h"
#include "certmgr/store/database.h"
#include "certmgr/store/sqlite_error.h"

namespace certmgr::store {

// `values` go to the statement's parameters from left to right.
class Query {
  public:
    template <class... Values>
    Query(Database& database, const char* sql, const Values&... values)
        : guard_(database.use()), statement_(prepare(database, sql)) {
        translatingErrors(guard_.connection.getHandle(), [&] { (bind(values), ...); });
    }
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    bool next();            // the next row; false: there is none
    int run();              // for statements without rows; returns how many rows it changed
    std::int64_t insert();  // run(), and the number of the new row

    // Of the present row, from left to right.
    std::string text();
    std::int64_t integer();
    bool boolean() { return integer() != 0; }
    TimePoint time() { return TimePoint(seconds(integer())); }
    std::optional<TimePoint> optionalTime();
    std::vector<std::string> texts();
    std::vector<Identifier> names();
    KeyId key();                   // empty for NULL
    CertificateSummary summary();  // CERTMGR_SUMMARY_COLUMNS

  private:
    SQLite::Statement& prepare(Database& database, const char* sql);
    void bind(const std::string& value);
    void bind(std::string_view value) { bind(std::string(value)); }
    void bind(const char* value) { bind(std::string(value)); }
    void bind(std::int64_t value);
    void bind(int value) { bind(static_cast<std::int64_t>(value)); }
    void bind(bool value) { bind(static_cast<std::int64_t>(value)); }
    void bind(TimePoint value) { bind(static_cast<std::int64_t>(value.time_since_epoch().count())); }
    void bind(const std::optional<TimePoint>& value);
    void bind(const std::optional<std::string>& value);
    // Empty: NULL.
    void bind(const KeyId& value) { bind(value.empty() ? std::nullopt : std::optional(value.text())); }
    void bind(const std::vector<std::string>& value);
    void bind(const std::vector<Identifier>& value);
    void bind(const CertificateSummary& value);

    Database::Guard guard_;
    SQLite::Statement& statement_;
    int parameter_ = 0;
    int column_ = 0;
};

#define CERTMGR_SUMMARY_COLUMNS "names, subject, issuer, serial, sha256, not_before, not_after"

// What a stored word means; a word that no version of ours wrote is damage.
template <class Value>
Value valueOf(std::optional<Value> value, std::string_view word) {
    if (value) return *value;
    throw Error(ErrorKind::internal, "database-corrupt",
                "the database holds the unknown word \"" + std::string(word) + "\"; put back a backup");
}

}  // namespace certmgr::store
