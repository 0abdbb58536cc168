#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {

std::optional<TimePoint> BudgetRepository::fullAgain(const std::string& directory, const BucketId& bucket) {
    Query query(database_,
                "SELECT full_again FROM rate_buckets "
                "WHERE directory = ? AND kind = ? AND account = ? AND subject = ?",
                directory, toString(bucket.kind), bucket.account, bucket.subject);
    if (!query.next()) return std::nullopt;
    return query.time();
}

void BudgetRepository::put(const std::string& directory, const BucketId& bucket, TimePoint fullAgain) {
    Query(database_,
          "INSERT OR REPLACE INTO rate_buckets (directory, kind, account, subject, full_again) "
          "VALUES (?, ?, ?, ?, ?)",
          directory, toString(bucket.kind), bucket.account, bucket.subject, fullAgain)
        .run();
}

Buckets BudgetRepository::list(const std::string& directory) {
    Buckets buckets;
    Query query(database_, "SELECT kind, account, subject, full_again FROM rate_buckets WHERE directory = ?",
                directory);
    while (query.next()) {
        const std::optional<LimitKind> kind = limitKindFrom(query.text());
        BucketId bucket{LimitKind::orders, query.text(), query.text()};
        const TimePoint fullAgain = query.time();
        if (!kind) continue;
        bucket.kind = *kind;
        buckets.emplace(std::move(bucket), fullAgain);
    }
    return buckets;
}

void BudgetRepository::forgetFull(TimePoint now) {
    Query(database_, "DELETE FROM rate_buckets WHERE full_again <= ?", now).run();
}

}  // namespace certmgr::store
