#include "certmgr/core/caa.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "certmgr/core/ascii.h"
#include "certmgr/core/issue_value.h"

namespace certmgr {
namespace {

constexpr std::uint8_t criticalFlag = 128;  // RFC 8659 4.1
// "issuemail" is RFC 9495's.
constexpr std::array knownTags{"issue", "issuewild", "iodef", "issuemail"};

// RFC 8657 3 and 4: a property with several parameters "accounturi", or several "validationmethods", can be
// satisfied by nobody.
CaaAnswer judgeParameters(const IssueValue& value, const CaaQuestion& question) {
    int accounts = 0;
    int methods = 0;
    CaaAnswer answer;
    for (const IssueValue::Parameter& parameter : value.parameters) {
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
        IssueValue value = parseIssueValue(record.value);
        value.issuer = lowered(value.issuer);
        // RFC 8659 4.2: a value outside the grammar counts as one that names no issuer.
        const CaaAnswer answer =
            value.complaint.empty()
                ? judgeValue(value, question)
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
