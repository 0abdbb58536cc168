#include "certmgr/core/issue_value.h"

#include <algorithm>

#include "certmgr/core/ascii.h"

namespace certmgr {
namespace {

constexpr std::size_t mostShown = 80;
constexpr std::size_t longestIssuer = 253;

bool isTag(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return isLetterOrDigit(c) || c == '-'; });
}

bool isValue(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return isVisible(c) && c != ';'; });
}

bool isDomainName(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return isLetterOrDigit(c) || c == '-' || c == '.'; });
}

std::string quoted(std::string_view text) {
    return "\"" + shownValue(text) + "\"";
}

// Returns the complaint.
std::string takeIn(std::vector<IssueValue::Parameter>& parameters, std::string_view text) {
    if (text.empty()) return "nothing stands behind one of its \";\"";
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return "found " + quoted(text) + ", expected tag=value";
    const std::string_view tag = trimmed(text.substr(0, equals));
    const std::string_view value = trimmed(text.substr(equals + 1));
    if (!isTag(tag)) return "found " + quoted(text) + ", expected a tag of letters, digits and \"-\"";
    if (!isValue(value)) return "the value of " + quoted(tag) + " has a blank or a control character in it";
    parameters.push_back({lowered(std::string(tag)), std::string(value)});
    return "";
}

}  // namespace

bool isIssuerName(std::string_view name) {
    const auto allowed = [](char c) { return isLower(c) || isDigit(c) || c == '-' || c == '.'; };
    return !name.empty() && name.size() <= longestIssuer && !name.ends_with('.') &&
           std::ranges::all_of(name, allowed);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t at = text.find(separator);
        parts.push_back(trimmed(text.substr(0, at)));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::string shownValue(std::string_view text) {
    std::string words(text.substr(0, mostShown));
    std::ranges::replace_if(
        words, [](char c) { return !isVisible(c) && c != ' '; }, '?');
    return words;
}

IssueValue parseIssueValue(std::string_view text) {
    const std::vector<std::string_view> parts = split(text, ';');
    IssueValue value{std::string(parts.front()), {}, {}};
    if (!isDomainName(value.issuer)) value.complaint = quoted(value.issuer) + " is no domain name";
    // [issuer-domain-name *WSP] [";" *WSP [parameters *WSP]]
    if (parts.size() == 2 && parts.back().empty()) return value;
    for (std::size_t i = 1; i < parts.size() && value.complaint.empty(); ++i)
        value.complaint = takeIn(value.parameters, parts[i]);
    return value;
}

}  // namespace certmgr
