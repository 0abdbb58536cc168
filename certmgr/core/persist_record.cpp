#include "certmgr/core/persist_record.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "certmgr/core/ascii.h"
#include "certmgr/core/issue_value.h"

namespace certmgr {
namespace {

constexpr std::size_t longestString = 255;  // RFC 1035 3.3
constexpr int mostTold = 3;                 // records that are no good
// What lies before and beyond has no date that people could read.
constexpr std::int64_t firstDate = 0;
constexpr std::int64_t lastDate = 253'402'300'799;  // 9999-12-31T23:59:59Z

// What a record says, or why it says nothing to a CA.
struct Read {
    PersistRecord record;
    std::string complaint;
};

// "The value MUST be a base-10 encoded integer"
std::optional<TimePoint> timestampFrom(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return TimePoint(seconds(std::clamp(value, firstDate, lastDate)));
}

std::string takeIn(PersistRecord& record, const IssueValue::Parameter& parameter) {
    if (parameter.tag == "accounturi") record.account = parameter.value;
    // "If the policy parameter is absent, or if its value is anything other than wildcard, the CA MUST
    // proceed as if the policy parameter were not present"
    if (parameter.tag == "policy") record.wildcard = lowered(parameter.value) == "wildcard";
    if (parameter.tag != "persistuntil") return "";
    record.until = timestampFrom(parameter.value);
    if (record.until) return "";
    return "its persistUntil is \"" + shownValue(parameter.value) + "\", expected seconds since 1970";
}

Read readRecord(const std::string& text) {
    const IssueValue value = parseIssueValue(text);
    Read read{{value.issuer, {}, false, std::nullopt}, value.complaint};
    std::set<std::string> seen;
    for (const IssueValue::Parameter& parameter : value.parameters) {
        if (!read.complaint.empty()) return read;
        read.complaint = seen.insert(parameter.tag).second
                             ? takeIn(read.record, parameter)
                             : "it has \"" + shownValue(parameter.tag) + "\" more than once";
    }
    if (read.complaint.empty() && read.record.account.empty()) read.complaint = "it has no accounturi";
    return read;
}

bool namesCa(const PersistRecord& record, const PersistQuestion& question) {
    const std::vector<std::string>& issuers = question.issuers;
    return issuers.empty() || std::ranges::any_of(issuers, [&](const std::string& issuer) {
               return lowered(issuer) == lowered(record.issuer);
           });
}

// Why a record that names the CA is not one it would take; empty: it would.
std::string whyNot(const Read& read, const PersistQuestion& question) {
    const PersistRecord& record = read.record;
    if (!read.complaint.empty()) return "is malformed: " + read.complaint;
    // CAs compare byte by byte: "servers and clients can perform simple byte-for-byte comparisons"
    if (record.issuer != lowered(record.issuer)) return "has to be written in lower case";
    if (record.account != question.account)
        return "is for the account " + shownValue(record.account) + ", and ours is " + question.account;
    if (question.wildcard && !record.wildcard) return "has no policy=wildcard";
    if (record.until && question.now && *question.now > *record.until)
        return "has ended " + formatTime(*record.until);
    return "";
}

bool staysLonger(const PersistRecord& record, const PersistRecord& other) {
    return other.until && (!record.until || *record.until > *other.until);
}

std::string issuersOf(const PersistQuestion& question) {
    std::string list;
    for (const std::string& issuer : question.issuers) list += (list.empty() ? "" : " or ") + issuer;
    return list.empty() ? "the CA" : list;
}

}  // namespace

std::string persistOwner(const Identifier& name) {
    return "_validation-persist." + provenName(name);
}

std::string persistText(const PersistRecord& record) {
    std::string text = record.issuer + "; accounturi=" + record.account;
    if (record.wildcard) text += "; policy=wildcard";
    if (record.until) text += "; persistUntil=" + std::to_string(record.until->time_since_epoch().count());
    return text;
}

std::string persistZoneLine(const Identifier& name, const PersistRecord& record) {
    std::string line = persistOwner(name) + ". IN TXT";
    const std::string text = persistText(record);
    for (std::size_t at = 0; at < text.size(); at += longestString) {
        line += " \"";
        for (const char c : text.substr(at, longestString)) {
            if (c == '"' || c == '\\') line += '\\';
            line += c;
        }
        line += '"';
    }
    return line;
}

std::string persistCommand(const Identifier& name) {
    return "certmgrctl acme persist-record " + provenName(name) + (name.wildcard() ? " --wildcard" : "");
}

PersistAnswer judgePersist(const std::vector<std::string>& texts, const PersistQuestion& question) {
    PersistAnswer answer;
    int bad = 0;
    for (const std::string& text : texts) {
        const Read read = readRecord(text);
        if (!namesCa(read.record, question)) continue;
        answer.named = true;
        const std::string why = whyNot(read, question);
        if (!why.empty() && ++bad <= mostTold)
            answer.why += (answer.why.empty() ? "the one of " : "; the one of ") +
                          shownValue(read.record.issuer) + " " + why;
        else if (why.empty() && (!answer.record || staysLonger(read.record, *answer.record)))
            answer.record = read.record;
    }
    if (bad > mostTold) answer.why += "; and " + std::to_string(bad - mostTold) + " more are no good";
    if (answer.record)
        answer.why.clear();
    else if (!answer.named)
        answer.why = "none names " + issuersOf(question);
    return answer;
}

}  // namespace certmgr
