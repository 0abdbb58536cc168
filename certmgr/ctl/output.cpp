#include "certmgr/ctl/output.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace certmgr::ctl {
namespace {

using Row = std::vector<std::string>;

constexpr std::size_t mostBuckets = 40;  // of one CA, where not all are asked for

std::string text(const Json& properties, const char* name) {
    return properties.value(name, "");
}
std::uint64_t number(const Json& properties, const char* name) {
    return properties.value(name, std::uint64_t{0});
}

std::string joined(const Json& list, const char* separator) {
    return fmt::format("{}", fmt::join(list.get<std::vector<std::string>>(), separator));
}

// Columns, counted as code points: names and sentences may be in any language.
std::size_t columns(const std::string& line) {
    return static_cast<std::size_t>(std::count_if(
        line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string tableOf(const std::vector<Row>& rows, const std::vector<std::string>& notes = {}) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
    std::string table;
    for (std::size_t line = 0; line < rows.size(); ++line) {
        std::string row;
        for (std::size_t i = 0; i < widths.size(); ++i)
            row += rows[line][i] + std::string(widths[i] - columns(rows[line][i]) + 2, ' ');
        row.erase(row.find_last_not_of(' ') + 1);
        table += row + '\n';
        if (line < notes.size()) table += notes[line];
    }
    return table;
}

// Breaks at spaces; a word longer than a line stands alone.
std::string wrapped(const std::string& sentence, const std::string& indent, std::size_t width) {
    std::string lines;
    std::string line;
    for (std::size_t begin = 0; begin < sentence.size();) {
        const std::size_t end = std::min(sentence.find_first_of(" \n", begin), sentence.size());
        const std::string word = sentence.substr(begin, end - begin);
        begin = end + 1;
        if (word.empty()) continue;
        if (!line.empty() && columns(indent) + columns(line) + 1 + columns(word) > width) {
            lines += indent + std::exchange(line, "") + '\n';
        }
        line += (line.empty() ? "" : " ") + word;
    }
    return line.empty() ? lines : lines + indent + line + '\n';
}

std::string shortList(const Json& properties, const char* name) {
    const auto list = properties.value(name, std::vector<std::string>{});
    if (list.empty()) return "-";
    return list.size() == 1 ? list.front() : fmt::format("{} +{}", list.front(), list.size() - 1);
}

std::string nextStep(const Json& certificate, Now now) {
    if (!text(certificate, "Activity").empty()) return "at work";
    const std::uint64_t attempt = number(certificate, "NextAttempt");
    if (attempt != 0) return "try " + relativeTime(attempt, now);
    const std::uint64_t renewal = number(certificate, "RenewAt");
    return renewal != 0 ? "renew " + relativeTime(renewal, now) : "-";
}

std::string orDash(const std::string& value) {
    return value.empty() ? "-" : value;
}

Row certificateRow(const Json& certificate, Now now) {
    const std::uint64_t end = number(certificate, "NotAfter");
    return {shortList(certificate, "Names"),
            orDash(text(certificate, "State")),
            orDash(text(certificate, "KeyBackend")),
            end == 0 ? "-" : formatDay(end),
            orDash(text(certificate, "Proof")),
            shortList(certificate, "Services"),
            nextStep(certificate, now)};
}

// What the states of org.certmgr1(7) mean, in words for people.
std::string proofText(const std::string& state) {
    static constexpr std::array<std::pair<const char*, const char*>, 5> words = {
        {{"rolled-back", "rolled back"},
         {"failed", "not served"},
         {"waiting", "waits for the service to run"},
         {"pending", "not brought yet"},
         {"unproved", "brought, and not looked at"}}};
    for (const auto& [word, meaning] : words)
        if (state == word) return meaning;
    return state;
}

std::string troubles(const std::string& certificate, const ObjectMap& services, Now now, std::size_t width) {
    std::string lines;
    for (const Json& deployment : deploymentsOf(certificate, services)) {
        const std::string state = text(deployment, "State");
        if (state != "rolled-back" && state != "failed") continue;
        const std::uint64_t next = number(deployment, "NextAttempt");
        lines += wrapped(
            fmt::format("{}: {}{}; see certmgrctl show {}", text(deployment, "Service"), proofText(state),
                        next == 0 ? "" : ", again " + relativeTime(next, now), certificate),
            "  ! ", width);
    }
    return lines;
}

std::string deploymentLine(const Json& deployment, Now now) {
    std::string line =
        fmt::format("Service {}: {}", text(deployment, "Service"), proofText(text(deployment, "State")));
    if (const std::string reason = text(deployment, "Reason"); !reason.empty()) line += ": " + reason;
    const std::uint64_t proved = number(deployment, "ProvedAt");
    line += proved == 0 ? "; never proved" : "; last proved " + formatMoment(proved, now);
    if (const std::uint64_t next = number(deployment, "NextAttempt"); next != 0)
        line += "; next attempt " + formatMoment(next, now);
    return line + '\n';
}

std::string ordersLine(const Json& certificate, const char* label, const char* count, const char* newest,
                       Now now) {
    if (number(certificate, count) == 0) return {};
    return fmt::format("{}: {}, the newest begun {}\n", label, number(certificate, count),
                       formatMoment(number(certificate, newest), now));
}

bool isTime(const std::string& property) {
    static constexpr std::array<const char*, 10> times = {
        "Since",       "CrlNextUpdate", "NotBefore", "NotAfter",      "LastAttempt",
        "NextAttempt", "RenewAt",       "ProvedAt",  "LastLostOrder", "LastAbandonedOrder"};
    return std::find(times.begin(), times.end(), property) != times.end();
}

std::string valueText(const std::string& name, const Json& value, Now now) {
    if (isTime(name))
        return value.get<std::uint64_t>() == 0 ? "" : formatMoment(value.get<std::uint64_t>(), now);
    if (value.is_string()) return value.get<std::string>();
    if (value.is_array() &&
        std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_string(); }))
        return joined(value, ", ");
    if (!value.is_array()) return value.dump();
    std::string lines;
    for (const Json& element : value) lines += '\n' + wrapped(details(element, now), "  ", 100);
    return lines;
}

// What the CA asks to agree to, and what was agreed to.
std::string termsNote(const Json& account) {
    const std::string terms = text(account, "Terms");
    const std::string agreed = text(account, "TermsAgreed");
    const std::uint64_t when = number(account, "TermsAgreedAt");
    std::string note;
    if (!agreed.empty()) note = fmt::format("    agreed to {} on {}\n", agreed, formatDay(when));
    if (!terms.empty() && terms != agreed) note += "  ! its terms are now " + terms + '\n';
    return note;
}

struct Unit {
    std::uint64_t seconds;
    const char* name;
};
constexpr std::array<Unit, 4> units = {{{86'400, "day"}, {3'600, "hour"}, {60, "minute"}, {1, "second"}}};

std::string counted(std::uint64_t count, const Unit& unit) {
    return fmt::format("{} {}{}", count, unit.name, count == 1 ? "" : "s");
}

std::string duration(std::uint64_t seconds) {
    const Unit& unit =
        *std::ranges::find_if(units, [&](const Unit& one) { return seconds % one.seconds == 0; });
    return counted(seconds / unit.seconds, unit);
}

double shareUsed(const Json& bucket) {
    return static_cast<double>(number(bucket, "Used")) / static_cast<double>(number(bucket, "Count"));
}

bool needsLook(const Json& bucket) {
    return shareUsed(bucket) > 0.5 || number(bucket, "NextAllowed") != 0 || number(bucket, "UsedUpFrom") != 0;
}

// What is used up comes first, then what will be, then what is used most.
std::vector<Json> nearestToTheirLimits(const Json& buckets) {
    std::vector<Json> sorted(buckets.begin(), buckets.end());
    const auto order = [](const Json& bucket) {
        const std::uint64_t usedUp = number(bucket, "UsedUpFrom");
        return std::tuple(number(bucket, "NextAllowed") == 0, usedUp == 0, usedUp, -shareUsed(bucket));
    };
    std::ranges::stable_sort(sorted, {}, order);
    return sorted;
}

Row bucketRow(const Json& bucket, Now now) {
    const std::string subject = text(bucket, "Subject");
    const std::uint64_t next = number(bucket, "NextAllowed");
    const std::uint64_t reserve = number(bucket, "Reserve");
    const std::uint64_t usedUp = number(bucket, "UsedUpFrom");
    return {text(bucket, "Limit"),
            orDash(subject.empty() ? text(bucket, "Account") : subject),
            fmt::format("{} of {} in {}", number(bucket, "Used"), number(bucket, "Count"),
                        duration(number(bucket, "WindowSeconds"))),
            reserve == 0 ? "-" : std::to_string(reserve),
            next == 0 ? "now" : relativeTime(next, now),
            std::to_string(number(bucket, "Planned")),
            usedUp == 0 ? "-" : formatMoment(usedUp, now)};
}

std::string pauseLines(const Json& pauses, bool all, Now now) {
    std::string lines;
    std::size_t shown = 0;
    for (const Json& pause : pauses) {
        if (!all && shown++ == mostBuckets)
            return lines + fmt::format("  ! {} more; --all shows them\n", pauses.size() - mostBuckets);
        const std::string subject = text(pause, "Subject");
        const std::string url = text(pause, "Url");
        const std::string what = subject.empty()                 ? ""
                                 : subject.starts_with("below ") ? " " + subject
                                                                 : " for " + subject;
        lines += fmt::format(
            "  ! no order{} until {}: {}{}\n", what, formatMoment(number(pause, "Until"), now),
            text(pause, "Reason"),
            url.empty() ? "" : "; to end the pause visit " + url + " and then reissue the certificate");
    }
    return lines;
}

std::string limitsOf(const Json& ca, bool all, Now now) {
    const std::string name = text(ca, "Name") + (ca.value("ForTests", false) ? " (for tests)" : "");
    if (!ca.value("LimitsKnown", false))
        return name + ": its limits are not known; see [[acme.ca.limit]] in certmgr.toml(5)\n";
    const std::vector<Json> buckets = nearestToTheirLimits(ca.value("Buckets", Json::array()));
    if (buckets.empty()) return name + ": nothing is used, and no order is planned\n";
    std::string lines = fmt::format("{}, with the orders planned until {}\n", name,
                                    formatMoment(number(ca, "ForecastUntil"), now));
    std::vector<Row> rows = {{"LIMIT", "OF", "USED", "KEPT", "NEXT", "PLANNED", "USED UP FROM"}};
    for (const Json& bucket : buckets)
        if (all || (needsLook(bucket) && rows.size() <= mostBuckets)) rows.push_back(bucketRow(bucket, now));
    if (rows.size() > 1) lines += tableOf(rows);
    const std::size_t left = buckets.size() + 1 - rows.size();
    if (left == 0) return lines;
    const auto roomy = static_cast<std::size_t>(
        std::ranges::count_if(buckets, [](const Json& bucket) { return !needsLook(bucket); }));
    return lines +
           (left == roomy ? fmt::format("{} more with room", left)
                          : fmt::format("{} more, {} of them with room", left, roomy)) +
           "; --all shows them\n";
}

}  // namespace

std::string formatDay(std::uint64_t time) {
    return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(time)));
}

std::string formatClock(std::uint64_t time) {
    return fmt::format("{:%H:%M:%S}Z", fmt::gmtime(static_cast<std::time_t>(time)));
}

std::string formatMoment(std::uint64_t time, Now now) {
    if (time == 0) return "never";
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC ({})", fmt::gmtime(static_cast<std::time_t>(time)),
                       relativeTime(time, now));
}

std::string relativeTime(std::uint64_t time, Now now) {
    const std::int64_t distance = static_cast<std::int64_t>(time) - now.time_since_epoch().count();
    const auto amount = static_cast<std::uint64_t>(distance < 0 ? -distance : distance);
    for (const Unit& unit : units) {
        const std::uint64_t count = amount / unit.seconds;
        if (count == 0 || (count == 1 && unit.seconds > 1))
            continue;  // "in 90 minutes" says more than "in 1 hour"
        const std::string phrase = counted(count, unit);
        return distance < 0 ? phrase + " ago" : "in " + phrase;
    }
    return "now";
}

std::string certificateTable(const ObjectMap& certificates, const ObjectMap& services, Now now,
                             std::size_t width) {
    if (certificates.empty()) return "There are no certificates.\n";
    std::vector<Row> rows = {{"NAMES", "STATE", "KEY", "VALID UNTIL (UTC)", "PROOF", "SERVICES", "NEXT"}};
    std::vector<std::string> notes = {""};
    for (const auto& [id, certificate] : certificates) {
        rows.push_back(certificateRow(certificate, now));
        notes.push_back(wrapped(text(certificate, "Activity"), "    ", width) +
                        wrapped(text(certificate, "LastError"), "  ! ", width) +
                        troubles(id, services, now, width));
    }
    return tableOf(rows, notes);
}

std::string uploadTable(const ObjectMap& uploads) {
    if (uploads.empty()) return "There are no uploads.\n";
    std::vector<Row> rows = {{"UPLOAD", "NAMES", "ISSUER", "VALID UNTIL (UTC)", "UPLOADED (UTC)", "SERVES"}};
    for (const auto& [id, upload] : uploads)
        rows.push_back({id, shortList(upload, "Names"), text(upload, "Issuer"),
                        formatDay(number(upload, "NotAfter")), formatDay(number(upload, "Uploaded")),
                        shortList(upload, "Serves")});
    return tableOf(rows);
}

std::string serviceTable(const ObjectMap& services, Now now) {
    if (services.empty()) return "There are no services.\n";
    std::vector<Row> rows = {{"SERVICE", "UNIT", "PROBE", "CERTIFICATE", "PROOF", "PROVED"}};
    for (const auto& [name, service] : services) {
        const Json deployments = service.value("Deployments", Json::array());
        const Row head = {name, orDash(text(service, "Unit")), orDash(text(service, "Probe"))};
        if (deployments.empty()) rows.push_back({head[0], head[1], head[2], "-", "-", "-"});
        for (const Json& deployment : deployments) {
            const std::uint64_t proved = number(deployment, "ProvedAt");
            rows.push_back({head[0], head[1], head[2], text(deployment, "Certificate"),
                            orDash(text(deployment, "State")),
                            proved == 0 ? "-" : relativeTime(proved, now)});
        }
    }
    return tableOf(rows);
}

std::string deletionText(const Json& certificate) {
    const std::string state = text(certificate, "State");
    const bool uploaded = state == "uploaded";
    const std::string leaf = state + " certificate, serial " + orDash(text(certificate, "Serial")) +
                             ", valid until " + formatDay(number(certificate, "NotAfter"));
    std::string lines = "Deleting " + text(certificate, "Id") + " would take along:\n";
    lines += "  its name: no new certificate is made for it\n";
    if (!uploaded)
        lines += "  its " + leaf + "\n  its key: " + orDash(text(certificate, "KeyBackend")) + "\n";
    if (number(certificate, "NextAttempt") != 0) lines += "  its next attempt at the CA\n";
    if (const std::string activity = text(certificate, "Activity"); !activity.empty())
        lines += "  what is under way: " + activity + "\n";
    if (uploaded) lines += "What stays: the " + leaf + ", among the uploads with its key\n";
    return lines;
}

std::string issuedTable(const Json& issued) {
    if (issued.empty()) return "Nothing was issued to others.\n";
    std::vector<Row> rows = {{"SERIAL", "PURPOSE", "SUBJECT", "NAMES", "VALID UNTIL (UTC)", "REVOKED"}};
    for (const Json& one : issued) {
        const std::uint64_t revoked = number(one, "Revoked");
        rows.push_back({text(one, "Serial"), text(one, "Purpose"), orDash(text(one, "Subject")),
                        orDash(shortList(one, "Names")), formatDay(number(one, "NotAfter")),
                        revoked == 0 ? "-" : formatDay(revoked) + ", " + text(one, "RevocationReason")});
    }
    return tableOf(rows);
}

std::string trustTable(const Json& anchors) {
    if (anchors.empty()) return "The box trusts nobody.\n";
    std::vector<Row> rows = {{"SUBJECT", "ISSUER", "VALID FROM", "UNTIL (UTC)", "STATE", "OWN", "SHA-256"}};
    for (const Json& anchor : anchors) {
        const bool selfIssued = text(anchor, "Issuer") == text(anchor, "Subject");
        rows.push_back({orDash(text(anchor, "Subject")), selfIssued ? "itself" : text(anchor, "Issuer"),
                        formatDay(number(anchor, "NotBefore")), formatDay(number(anchor, "NotAfter")),
                        anchor.value("Expired", false) ? "expired" : "-",
                        anchor.value("Own", false) ? "own" : "-", text(anchor, "Sha256")});
    }
    return tableOf(rows);
}

std::string accountTable(const Json& accounts) {
    if (accounts.empty()) return "There are no CAs: see [[acme.ca]] in certmgr.toml(5).\n";
    std::vector<Row> rows = {{"CA", "DIRECTORY", "FOR", "ACCOUNT", "BOUND BY", "CONTACTS"}};
    std::vector<std::string> notes = {""};
    for (const Json& account : accounts) {
        rows.push_back({text(account, "Name"), text(account, "Directory"),
                        account.value("ForTests", false) ? "tests" : "use", orDash(text(account, "Account")),
                        orDash(text(account, "ExternalKey")), shortList(account, "Contacts")});
        notes.push_back(termsNote(account));
    }
    return tableOf(rows, notes);
}

std::string budgetText(const Json& budgets, bool all, Now now) {
    if (budgets.empty()) return "There are no CAs: see [[acme.ca]] in certmgr.toml(5).\n";
    std::string lines;
    for (const Json& ca : budgets)
        lines += limitsOf(ca, all, now) + pauseLines(ca.value("Pauses", Json::array()), all, now);
    return lines;
}

std::string preflightText(const Json& findings) {
    std::string lines;
    std::string name;
    for (const Json& finding : findings) {
        if (text(finding, "Name") != name) {
            name = text(finding, "Name");
            lines += name + '\n';
        }
        const std::string ca = text(finding, "Ca");
        lines += fmt::format("  {:<9}  {:<9}  {}{}\n", text(finding, "Finding"), text(finding, "Check"),
                             ca.empty() ? "" : ca + ": ", text(finding, "Sentence"));
    }
    return lines;
}

std::string persistRecordText(const Json& records) {
    std::string lines;
    for (const Json& record : records) {
        lines += fmt::format("; {}{}: {}\n", text(record, "Ca"),
                             record.value("ForTests", false) ? " (for tests)" : "", text(record, "Sentence"));
        if (const std::string line = text(record, "ZoneLine"); !line.empty()) lines += line + '\n';
    }
    return lines;
}

std::optional<std::uint32_t> timeFrom(const std::string& words) {
    for (const auto& [form, rest] : {std::pair("%Y-%m-%dT%H:%M:%SZ", 0), std::pair("%Y-%m-%d", 86'399)}) {
        std::tm fields{};
        const char* const end = ::strptime(words.c_str(), form, &fields);
        if (end == nullptr || *end != '\0') continue;
        const int day = fields.tm_mday;
        const std::int64_t time = ::timegm(&fields) + rest;
        if (fields.tm_mday != day) continue;  // of a month that does not have it
        if (time > 0 && time <= std::numeric_limits<std::uint32_t>::max())
            return static_cast<std::uint32_t>(time);
    }
    return std::nullopt;
}

std::string details(const Json& properties, Now now) {
    std::string lines;
    for (const auto& [name, value] : properties.items())
        if (const std::string content = valueText(name, value, now); !content.empty())
            lines += fmt::format("{}: {}\n", name, content);
    return lines;
}

Json deploymentsOf(const std::string& certificate, const ObjectMap& services) {
    Json deployments = Json::array();
    for (const auto& [name, service] : services)
        for (Json deployment : service.value("Deployments", Json::array())) {
            if (text(deployment, "Certificate") != certificate) continue;
            deployment.erase("Certificate");
            deployment["Service"] = name;
            deployments.push_back(std::move(deployment));
        }
    return deployments;
}

std::string certificateDetails(const Json& certificate, Now now) {
    std::string lines;
    for (const Json& deployment : certificate.value("Deployments", Json::array()))
        lines += deploymentLine(deployment, now);
    lines += ordersLine(certificate, "Orders lost", "LostOrders", "LastLostOrder", now);
    lines += ordersLine(certificate, "Orders given up", "AbandonedOrders", "LastAbandonedOrder", now);
    Json others = certificate;
    for (const char* said :
         {"Deployments", "LostOrders", "LastLostOrder", "AbandonedOrders", "LastAbandonedOrder"})
        others.erase(said);
    return lines + details(others, now);
}

std::string describeChange(Kind kind, const std::string& id, const Json& before, const Json& after) {
    const std::string subject = fmt::format("{} {}", toString(kind), id);
    if (after.is_null()) return subject + " is gone";
    static constexpr std::array<const char*, 11> watched = {
        "State",       "Activity",  "Step",       "Severity", "Sentence", "Proof",
        "Deployments", "KeyReason", "Generation", "Result",   "LastError"};
    std::vector<std::string> changes;
    for (const char* name : watched) {
        const Json value = after.value(name, Json());
        if (value.is_null() || (before.is_object() && before.value(name, Json()) == value)) continue;
        const std::string content = value.is_string() ? value.get<std::string>() : value.dump();
        if (before.is_object() || !content.empty())
            changes.push_back(fmt::format("{}: {}", name, orDash(content)));
    }
    if (const std::string error = text(after, "Error");
        !error.empty() && (before.is_null() || text(before, "Error") != error))
        changes.push_back("Error: " + error);
    if (before.is_null()) return fmt::format("{} is new; {}", subject, fmt::join(changes, "; "));
    return changes.empty() ? "" : fmt::format("{}; {}", subject, fmt::join(changes, "; "));
}

}  // namespace certmgr::ctl
