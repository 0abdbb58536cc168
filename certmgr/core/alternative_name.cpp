#include "certmgr/core/alternative_name.h"

#include <algorithm>
#include <array>
#include <utility>

#include "certmgr/core/ascii.h"
#include "certmgr/core/error.h"

namespace certmgr {
namespace {

using Type = AlternativeName::Type;

constexpr std::size_t maximumLocalPart = 64;  // RFC 5321 4.5.3.1.1
constexpr std::size_t maximumUri = 2048;

constexpr std::array<std::pair<std::string_view, Type>, 4> prefixes = {
    {{"dns:", Type::dns}, {"ip:", Type::ip}, {"email:", Type::email}, {"uri:", Type::uri}}};

// RFC 5321 4.1.2, Dot-string; a quoted local part is left out, as every provider leaves it out.
bool isLocalPart(std::string_view text) {
    constexpr std::string_view special = "!#$%&'*+-/=?^_`{|}~";
    const auto allowed = [&](char c) {
        return isLetterOrDigit(c) || c == '.' || special.find(c) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= maximumLocalPart && text.front() != '.' && text.back() != '.' &&
           text.find("..") == std::string_view::npos && std::all_of(text.begin(), text.end(), allowed);
}

std::string parseEmail(std::string_view text) {
    const std::size_t at = text.rfind('@');
    if (at == std::string_view::npos || !isLocalPart(text.substr(0, at)))
        refuseName(text, "is no e-mail address; expected one like \"anna@example.org\", in ASCII");
    const Identifier domain = parseIdentifier(text.substr(at + 1));
    if (domain.type != Identifier::Type::dns || domain.wildcard())
        refuseName(text, "is an e-mail address without a domain; expected one like \"anna@example.org\"");
    return std::string(text.substr(0, at + 1)) + domain.value;
}

// RFC 5280 4.2.1.6: "The name MUST NOT be a relative URI", and "MUST include both a scheme and a
// scheme-specific-part".
std::string parseUri(std::string_view text) {
    constexpr std::string_view forbidden = "\"<>\\^`{|}";
    const auto allowed = [&](char c) { return isVisible(c) && forbidden.find(c) == std::string_view::npos; };
    const auto inScheme = [](char c) { return isLetterOrDigit(c) || c == '+' || c == '-' || c == '.'; };
    const std::size_t colon = text.find(':');
    const std::string_view scheme = text.substr(0, colon);
    if (colon == std::string_view::npos || colon + 1 == text.size() || scheme.empty() ||
        !isLetterOrDigit(scheme.front()) || !std::all_of(scheme.begin(), scheme.end(), inScheme) ||
        text.size() > maximumUri || !std::all_of(text.begin(), text.end(), allowed))
        refuseName(
            text,
            "is no absolute URI of at most 2048 characters; expected a scheme and what belongs to it, as "
            "\"urn:uuid:…\"");
    return std::string(text);
}

AlternativeName parseHost(Type type, std::string_view text) {
    Identifier name = parseIdentifier(text);
    if ((name.type == Identifier::Type::dns) != (type == Type::dns))
        refuseName(text, type == Type::dns ? "is an address; write \"ip:\" before it"
                                           : "is no IPv4 or IPv6 address");
    return {type, std::move(name.value)};
}

}  // namespace

AlternativeName parseAlternativeName(std::string_view text) {
    for (const auto& [prefix, type] : prefixes) {
        if (!text.starts_with(prefix)) continue;
        const std::string_view value = text.substr(prefix.size());
        if (type == Type::email) return {type, parseEmail(value)};
        if (type == Type::uri) return {type, parseUri(value)};
        return parseHost(type, value);
    }
    refuseName(text, "does not say what it is; expected \"dns:\", \"ip:\", \"email:\" or \"uri:\" before it");
}

std::vector<AlternativeName> parseAlternativeNames(const std::vector<std::string>& texts) {
    if (texts.size() > maximumNames)
        reject("bad-name",
               std::to_string(texts.size()) + " names were given; at most 100 go into one certificate");
    std::vector<AlternativeName> result;
    for (const std::string& text : texts) result.push_back(parseAlternativeName(text));
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
}

std::string toString(const AlternativeName& name) {
    const auto entry = std::find_if(prefixes.begin(), prefixes.end(),
                                    [&](const auto& prefix) { return prefix.second == name.type; });
    return std::string(entry->first) + name.value;
}

std::vector<AlternativeName> alternativeNamesOf(const std::vector<Identifier>& names) {
    std::vector<AlternativeName> result;
    for (const Identifier& name : names)
        result.push_back({name.type == Identifier::Type::dns ? Type::dns : Type::ip, name.value});
    return result;
}

}  // namespace certmgr
