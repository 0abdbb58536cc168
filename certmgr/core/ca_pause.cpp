#include "certmgr/core/ca_pause.h"

#include <algorithm>

#include "certmgr/core/ascii.h"

namespace certmgr {
namespace {

constexpr seconds longestOfNames = std::chrono::hours(24 * 7);
constexpr seconds longestOfAll = std::chrono::hours(24);

constexpr std::string_view lettersOfNames = "abcdefghijklmnopqrstuvwxyz0123456789-_.:*";

// As a word of its own: "example.com" is not in "www.example.com", but before the end of a sentence it is.
bool names(std::string_view words, std::string_view name) {
    for (std::size_t at = words.find(name); at != std::string_view::npos; at = words.find(name, at + 1)) {
        const bool begins = at == 0 || lettersOfNames.find(words[at - 1]) == std::string_view::npos;
        std::string_view rest = words.substr(at + name.size());
        if (rest.starts_with('.') || rest.starts_with(':')) rest.remove_prefix(1);
        if (begins && (rest.empty() || lettersOfNames.find(rest.front()) == std::string_view::npos))
            return true;
    }
    return false;
}

constexpr const char* belowWord = "below ";
constexpr const char* exactlyWord = "exactly ";

std::string below(const std::string& domain) {
    return belowWord + domain;
}

std::string exactly(const std::vector<Identifier>& names) {
    return exactlyWord + textOf(names);
}

}  // namespace

bool isExempt(const OrderFacts& order, const CaPause& pause, const std::vector<RateLimit>& limits) {
    const bool ofDomain = pause.subject.starts_with(belowWord);
    if (!pause.url.empty() || (!ofDomain && !pause.subject.starts_with(exactlyWord))) return false;
    const RateLimit* const limit = limitOf(limits, LimitKind::certificatesPerDomain);
    return order.suggested || (ofDomain && order.renewal && limit && limit->renewalsExempt);
}

std::set<std::string> subjectsOf(const OrderedNames& order) {
    std::set<std::string> subjects{"", exactly(order.names)};
    for (const Identifier& name : order.names) subjects.insert({name.value, provenName(name)});
    for (const std::string& domain : order.domains) subjects.insert(below(domain));
    return subjects;
}

std::set<std::string> subjectsMeant(std::string_view said, const OrderedNames& order) {
    const std::string words = lowered(std::string(said));
    if (words.find("exact set") != std::string::npos) return {exactly(order.names)};
    std::set<std::string> ofNames;
    for (const Identifier& name : order.names)
        for (const std::string& one : {name.value, provenName(name)})
            if (names(words, one)) ofNames.insert(one);
    std::set<std::string> ofDomains;
    for (const std::string& domain : order.domains)
        if (names(words, domain)) ofDomains.insert(below(domain));
    const bool counted = words.find("already issued for") != std::string::npos;
    if (!ofDomains.empty() && (counted || ofNames.empty())) return ofDomains;
    return ofNames.empty() ? std::set<std::string>{""} : ofNames;
}

TimePoint endOf(const CaPause& pause, TimePoint now) {
    return std::min(pause.until, now + (pause.subject.empty() ? longestOfAll : longestOfNames));
}

}  // namespace certmgr
