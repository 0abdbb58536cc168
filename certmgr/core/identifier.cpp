#include "certmgr/core/identifier.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "certmgr/core/ascii.h"
#include "certmgr/core/error.h"

namespace certmgr {
namespace {

constexpr std::size_t maximumName = 253;  // RFC 1035 2.3.4: 255 octets on the wire
constexpr std::size_t maximumLabel = 63;

std::string shown(std::string_view text) {
    std::string result = "\"";
    for (const char c : text.substr(0, 80)) result += isVisible(c) ? c : '?';
    return result + (text.size() > 80 ? "…\"" : "\"");
}

void checkLabel(std::string_view text, std::string_view label) {
    if (label.empty())
        refuseName(text, "has an empty label (two dots in a row, or a dot in front); remove the dot");
    if (label.size() > maximumLabel)
        refuseName(text, "has a label of " + std::to_string(label.size()) + " characters; DNS allows 63");
    if (label.find('*') != std::string_view::npos)
        refuseName(text,
                   "has a \"*\" that is not the whole leftmost label; write a wildcard as \"*.example.org\"");
    const auto wrong =
        std::find_if_not(label.begin(), label.end(), [](char c) { return isLetterOrDigit(c) || c == '-'; });
    if (wrong != label.end())
        refuseName(text, "contains " + shown(std::string_view(wrong, wrong + 1)) +
                             "; a DNS name has only letters, digits, hyphens and dots");
    if (label.front() == '-' || label.back() == '-')
        refuseName(text, "has a label that begins or ends with a hyphen, which DNS host names do not allow");
}

void checkDnsName(std::string_view text, std::string_view name) {
    if (name.starts_with("*.")) name.remove_prefix(2);
    std::string_view label;
    for (std::size_t start = 0; start <= name.size(); start += label.size() + 1) {
        label = name.substr(start, name.find('.', start) - start);
        checkLabel(text, label);
    }
    if (std::all_of(label.begin(), label.end(), isDigit))
        refuseName(
            text,
            "ends with a number and is no valid IPv4 address; give four numbers of 0 to 255, or a DNS name");
}

std::string parseAddress(const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    std::array<char, INET6_ADDRSTRLEN> canonical{};
    for (const int family : {AF_INET, AF_INET6})
        if (::inet_pton(family, text.c_str(), bytes.data()) == 1)
            return ::inet_ntop(family, bytes.data(), canonical.data(), canonical.size());
    return "";
}

}  // namespace

void refuseName(std::string_view text, const std::string& why) {
    reject("bad-name", "the name " + shown(text) + " " + why);
}

Identifier parseIdentifier(std::string_view text) {
    if (text.empty()) reject("bad-name", "the name is empty; give a DNS name or an IP address");
    if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        refuseName(
            text,
            "is not ASCII; give an internationalised name in its A-label form, each label beginning with "
            "\"xn--\"");
    std::string name = lowered(std::string(text));
    // inet_pton would stop at a NUL and take what stands before it for the whole.
    if (name.find('\0') == std::string::npos)
        if (std::string address = parseAddress(name); !address.empty())
            return {Identifier::Type::ip, std::move(address)};
    if (name.find(':') != std::string::npos)
        refuseName(
            text,
            "is neither a DNS name nor an IPv6 address; leave out brackets, port, zone and \"https://\"");
    if (name.back() == '.') name.pop_back();
    if (name.empty()) refuseName(text, "is the DNS root; give a DNS name or an IP address");
    if (name.size() > maximumName)
        refuseName(text, "has " + std::to_string(name.size()) + " characters; DNS allows 253");
    checkDnsName(text, name);
    return {Identifier::Type::dns, std::move(name)};
}

std::vector<Identifier> parseIdentifiers(const std::vector<std::string>& texts) {
    std::vector<Identifier> result;
    for (const std::string& text : texts) result.push_back(parseIdentifier(text));
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    if (result.empty()) reject("bad-name", "there is no name; a certificate needs at least one");
    if (result.size() > maximumNames)
        reject("bad-name", std::to_string(result.size()) +
                               " names were given; public CAs take at most 100 in one certificate");
    return result;
}

std::string provenName(const Identifier& name) {
    return name.wildcard() ? name.value.substr(2) : name.value;
}

bool covers(const Identifier& presented, const Identifier& wanted) {
    if (presented == wanted) return true;
    if (!presented.wildcard() || wanted.type != Identifier::Type::dns || wanted.wildcard()) return false;
    const std::size_t dot = wanted.value.find('.');
    return dot != std::string::npos && wanted.value.substr(dot) == presented.value.substr(1);
}

bool coversAll(const std::vector<Identifier>& presented, const std::vector<Identifier>& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const Identifier& name) {
        return std::any_of(presented.begin(), presented.end(),
                           [&](const Identifier& one) { return covers(one, name); });
    });
}

}  // namespace certmgr
