#include "certmgr/core/caa.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "certmgr/core/ascii.h"

namespace certmgr {
namespace {

constexpr std::uint8_t criticalFlag = 128;  // RFC 8659 4.1
constexpr std::size_t mostWords = 80;
// "issuemail" is RFC 9495's.
constexpr std::array knownTags{"issue", "issuewild", "iodef", "issuemail"};

std::string_view stripped(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t at = text.find(separator);
        parts.push_back(stripped(text.substr(0, at)));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

// Somebody else wrote it: cut, and with nothing in it that could rule a terminal.
std::string shownValue(std::string_view text) {
    std::string words(text.substr(0, mostWords));
    std::ranges::replace_if(
        words, [](char c) { return !isVisible(c) && c != ' '; }, '?');
    return words;
}

bool isTag(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return isLetterOrDigit(c) || c == '-'; });
}

bool isValue(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return isVisible(c) && c != ';'; });
}

struct Parameter {
    std::string tag;
    std::string value;
};

// An "issue-value" of RFC 8659 4.2.
struct IssueValue {
    std::string issuer;  // empty: nobody
    std::vector<Parameter> parameters;
};

std::optional<IssueValue> parseIssueValue(std::string_view text) {
    const std::vector<std::string_view> parts = split(text, ';');
    IssueValue value{lowered(std::string(parts.front())), {}};
    if (!std::ranges::all_of(value.issuer, [](char c) { return isLetterOrDigit(c) || c == '-' || c == '.'; }))
        return std::nullopt;
    if (parts.size() == 2 && parts.back().empty()) return value;
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const std::size_t equals = parts[i].find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string_view tag = stripped(parts[i].substr(0, equals));
        const std::string_view content = stripped(parts[i].substr(equals + 1));
        if (!isTag(tag) || !isValue(content)) return std::nullopt;
        value.parameters.push_back({lowered(std::string(tag)), std::string(content)});
    }
    return value;
}

// RFC 8657 3 and 4: a property with several parameters "accounturi", or several "validationmethods", can be
// satisfied by nobody.
CaaAnswer judgeParameters(const IssueValue& value, const CaaQuestion& question) {
    int accounts = 0;
    int methods = 0;
    CaaAnswer answer;
    for (const Parameter& parameter : value.parameters) {
        if (parameter.tag == "validationmethods") {
            const std::vector<std::string_view> named = split(parameter.value, ',');
            if (std::ranges::find(named, toString(question.challenge)) == named.end() || ++methods > 1)
                return {CaaVerdict::forbidden, "allow " + value.issuer + " only to prove it by \"" +
                                                   shownValue(parameter.value) + "\", which does not have " +
                                                   std::string(toString(question.challenge))};
        }
        if (parameter.tag != "accounturi") continue;
        const std::string only = "allow " + value.issuer + " only for the account " +
                                 shownValue(parameter.value) + ", and ours is ";
        if (question.account.empty() && accounts++ == 0)
            answer = {CaaVerdict::unknown, only + "not known yet"};
        else if (parameter.value != question.account || ++accounts > 1)
            return {CaaVerdict::forbidden, only + question.account};
    }
    return answer;
}

bool hasTag(const CaaRecord& record, std::string_view tag) {
    return lowered(record.tag) == tag;
}

// RFC 8659 4.3: for a wildcard, "issuewild" where there is any, else "issue" as for other names.
std::vector<CaaRecord> relevant(const std::vector<CaaRecord>& records, bool wildcard) {
    std::vector<CaaRecord> found;
    for (const char* const tag : {"issuewild", "issue"}) {
        if (tag == std::string_view("issuewild") && !wildcard) continue;
        std::ranges::copy_if(records, std::back_inserter(found),
                             [&](const CaaRecord& record) { return hasTag(record, tag); });
        if (!found.empty()) break;
    }
    return found;
}

CaaAnswer judgeValue(const IssueValue& value, const CaaQuestion& question) {
    const std::vector<std::string>& identities = question.identities;
    if (value.issuer.empty()) return {CaaVerdict::forbidden, "let no CA issue"};
    if (identities.empty())
        return {CaaVerdict::unknown,
                "allow only " + shownValue(value.issuer) + ", and the CA does not say whether it is that"};
    if (std::ranges::none_of(identities, [&](const auto& own) { return lowered(own) == value.issuer; }))
        return {CaaVerdict::forbidden, "allow only " + shownValue(value.issuer)};
    return judgeParameters(value, question);
}

// What is nearest to a permission counts; among equals the words of each are told.
void takeIn(CaaAnswer& best, const CaaAnswer& next) {
    const auto rank = [](CaaVerdict verdict) {
        return verdict == CaaVerdict::allowed ? 2 : verdict == CaaVerdict::unknown ? 1 : 0;
    };
    if (best.why.empty() || rank(next.verdict) > rank(best.verdict))
        best = next;
    else if (rank(next.verdict) == rank(best.verdict) && best.why.find(next.why) == std::string::npos)
        best.why += "; " + next.why;
}

}  // namespace

CaaAnswer judgeCaa(const std::vector<CaaRecord>& records, const CaaQuestion& question) {
    for (const CaaRecord& record : records)
        if ((record.flags & criticalFlag) != 0 &&
            std::ranges::none_of(knownTags, [&](const char* tag) { return hasTag(record, tag); }))
            // RFC 8659 4.1: no CA issues where there is a critical property that it does not know.
            return {CaaVerdict::forbidden, "have the critical property \"" + shownValue(record.tag) +
                                               "\", which no CA understands and so none may pass over"};
    const std::vector<CaaRecord> properties = relevant(records, question.wildcard);
    if (properties.empty()) return {};
    CaaAnswer best{CaaVerdict::forbidden, ""};
    for (const CaaRecord& record : properties) {
        const std::optional<IssueValue> value = parseIssueValue(record.value);
        // RFC 8659 4.2: a value outside the grammar counts as one that names no issuer.
        const CaaAnswer answer =
            value ? judgeValue(*value, question)
                  : CaaAnswer{CaaVerdict::forbidden, "have the value \"" + shownValue(record.value) +
                                                         "\", which cannot be read and so lets no CA issue"};
        if (answer.verdict == CaaVerdict::allowed) return answer;
        takeIn(best, answer);
    }
    return best;
}

std::vector<std::string> caaNames(const Identifier& name) {
    std::vector<std::string> names;
    if (name.type == Identifier::Type::ip) return names;
    std::string_view rest = name.value;
    if (name.wildcard()) rest.remove_prefix(2);
    for (;;) {
        names.emplace_back(rest);
        const std::size_t dot = rest.find('.');
        if (dot == std::string_view::npos) return names;
        rest.remove_prefix(dot + 1);
    }
}

}  // namespace certmgr
