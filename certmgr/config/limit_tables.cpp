#include "certmgr/config/limit_tables.h"

#include <algorithm>

namespace certmgr::config {
namespace {

constexpr std::int64_t mostOfOneLimit = 1'000'000;
constexpr std::int64_t longestWindow = 366LL * 24 * 3600;

RateLimit readLimit(TableReader& reader) {
    RateLimit limit;
    std::int64_t count = 0;
    std::int64_t window = 0;
    std::int64_t reserve = 0;
    if (!reader.readWord("what", limit.kind, limitKindFrom,
                         "accounts, orders, certificates-per-domain, certificates-per-set, "
                         "authorization-failures"))
        reader.refuse("what", "expected \"what\", which says what is limited");
    if (!reader.readInteger("count", count, 1, mostOfOneLimit))
        reader.refuse("count", "expected \"count\", how many the CA allows");
    if (!reader.readInteger("window_seconds", window, 1, longestWindow))
        reader.refuse("window_seconds", "expected \"window_seconds\", in which all of \"count\" come back");
    reader.readInteger("reserve", reserve, 0, count - 1);
    reader.read("renewals_exempt", limit.renewalsExempt);
    reader.finish();
    limit.count = static_cast<int>(count);
    limit.window = seconds(window);
    limit.reserve = static_cast<int>(reserve);
    return limit;
}

}  // namespace

void readLimits(TableReader& reader, std::vector<RateLimit>& limits) {
    std::vector<RateLimit> read;
    for (TableReader& table : reader.tables("limit")) {
        const RateLimit limit = readLimit(table);
        if (limitOf(read, limit.kind))
            table.refuse("what", "found \"" + std::string(toString(limit.kind)) + "\" a second time");
        read.push_back(limit);
        std::erase_if(limits, [&](const RateLimit& known) { return known.kind == limit.kind; });
    }
    limits.insert(limits.end(), read.begin(), read.end());
}

}  // namespace certmgr::config
