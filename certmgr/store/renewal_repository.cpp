#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {

void RenewalRepository::put(std::int64_t generation, const RenewalInfo& info) {
    const auto& window = info.window;
    Query(database_,
          "INSERT OR REPLACE INTO renewal_information (generation, window_start, window_end, renew_at, "
          "explanation_url, failures, next_query) VALUES (?, ?, ?, ?, ?, ?, ?)",
          generation, window ? std::optional(window->start) : std::nullopt,
          window ? std::optional(window->end) : std::nullopt, info.renewAt, info.explanationUrl,
          info.failures, info.nextQuery)
        .run();
}

std::optional<RenewalInfo> RenewalRepository::find(std::int64_t generation) {
    Query query(database_,
                "SELECT window_start, window_end, renew_at, explanation_url, failures, next_query "
                "FROM renewal_information WHERE generation = ?",
                generation);
    if (!query.next()) return std::nullopt;
    RenewalInfo info;
    const std::optional<TimePoint> start = query.optionalTime();
    const std::optional<TimePoint> end = query.optionalTime();
    if (start && end) info.window = RenewalWindow{*start, *end};
    info.renewAt = query.time();
    info.explanationUrl = query.text();
    info.failures = static_cast<int>(query.integer());
    info.nextQuery = query.time();
    return info;
}

}  // namespace certmgr::store
