#include "certmgr/ctl/status.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "certmgr/ctl/output.h"

namespace certmgr::ctl {
namespace {

const char* wordOf(Health health) {
    switch (health) {
        case Health::ok:
            return "OK";
        case Health::warning:
            return "WARNING";
        case Health::critical:
            return "CRITICAL";
        case Health::unknown:
            break;
    }
    return "UNKNOWN";
}

Health healthOf(const Json& alarm) {
    return alarm.value("Severity", "") == "critical" ? Health::critical : Health::warning;
}

std::string counted(std::size_t count, const char* noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// A monitor takes what follows a "|" for performance data.
std::string withoutBars(std::string text) {
    std::ranges::replace(text, '|', '/');
    return text;
}

std::string lineOf(const Json& alarm) {
    return fmt::format("{} {} {}: {} (since {})\n", wordOf(healthOf(alarm)), alarm.value("Kind", ""),
                       alarm.value("Subject", ""), alarm.value("Sentence", ""),
                       formatDay(alarm.value("Since", std::uint64_t{0})));
}

}  // namespace

Status statusOf(const ObjectMap& alarms, const ObjectMap& certificates) {
    std::vector<Json> worstFirst;
    for (const auto& [id, alarm] : alarms) worstFirst.push_back(alarm);
    std::ranges::stable_sort(worstFirst, std::greater{}, healthOf);
    const auto critical =
        static_cast<std::size_t>(std::ranges::count(worstFirst, Health::critical, healthOf));
    const Health health = worstFirst.empty() ? Health::ok : healthOf(worstFirst.front());
    std::string text =
        fmt::format("CERTMGR {} - {}, {}", wordOf(health), counted(certificates.size(), "certificate"),
                    worstFirst.empty() ? "no alarm" : counted(worstFirst.size(), "alarm"));
    if (!worstFirst.empty())
        text +=
            fmt::format(", {} {}: {}", worstFirst.front().value("Kind", ""),
                        worstFirst.front().value("Subject", ""), worstFirst.front().value("Sentence", ""));
    text = withoutBars(text) + fmt::format(" | certificates={} warnings={} criticals={}\n",
                                           certificates.size(), worstFirst.size() - critical, critical);
    for (const Json& alarm : worstFirst) text += withoutBars(lineOf(alarm));
    return {health,
            text,
            {{"Status", wordOf(health)}, {"Certificates", certificates.size()}, {"Alarms", worstFirst}}};
}

Status unknownStatus(const std::string& sentence) {
    return {Health::unknown,
            withoutBars(fmt::format("CERTMGR UNKNOWN - {}\n", sentence)),
            {{"Status", wordOf(Health::unknown)}, {"Error", sentence}, {"Alarms", Json::array()}}};
}

}  // namespace certmgr::ctl
