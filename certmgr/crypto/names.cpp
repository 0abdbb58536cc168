#include "certmgr/crypto/names.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <arpa/inet.h>
#include <libpsl.h>

#include "certmgr/core/ascii.h"
#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {
namespace {

std::optional<Identifier> dnsName(std::string_view text) {
    const bool printable = std::all_of(text.begin(), text.end(), isVisible);
    if (text.ends_with('.')) text.remove_suffix(1);
    if (text.empty() || !printable) return std::nullopt;
    return Identifier{Identifier::Type::dns, lowered(std::string(text))};
}

std::optional<Identifier> ipAddress(std::span<const std::uint8_t> octets) {
    if (octets.size() != 4 && octets.size() != 16) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(octets.size() == 4 ? AF_INET : AF_INET6, octets.data(), text.data(), text.size());
    return Identifier{Identifier::Type::ip, text.data()};
}

bool validLabel(std::string_view label) {
    const auto allowed = [](char c) { return isLetterOrDigit(c) || c == '-'; };
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(), allowed);
}

// "Preferred name syntax" of RFC 5280 4.2.1.6, with a wildcard as the whole leftmost label (RFC 9525 6.3).
bool validDnsName(std::string_view name) {
    if (name.starts_with("*.")) name.remove_prefix(2);
    if (name.empty() || name.size() > 253) return false;
    for (std::size_t begin = 0;;) {
        const std::size_t dot = name.find('.', begin);
        if (!validLabel(name.substr(begin, dot - begin))) return false;
        if (dot == std::string_view::npos) return true;
        begin = dot + 1;
    }
}

// UTF-8; empty where there is none.
std::string commonNameText(const X509& certificate) {
    const X509_NAME* subject = X509_get_subject_name(&certificate);
    const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0) return {};
    unsigned char* utf8 = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (size < 0) return {};
    std::string text(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    return text;
}

std::optional<Identifier> commonName(const X509& certificate) {
    const std::optional<Identifier> name = dnsName(commonNameText(certificate));
    if (!name) return std::nullopt;
    std::array<std::uint8_t, 16> octets{};
    if (inet_pton(AF_INET, name->value.c_str(), octets.data()) == 1)
        return ipAddress(std::span(octets).first(4));
    if (inet_pton(AF_INET6, name->value.c_str(), octets.data()) == 1) return ipAddress(octets);
    return validDnsName(name->value) ? name : std::nullopt;
}

std::string_view valueOf(const GENERAL_NAME& name) {
    const ASN1_STRING* value = name.type == GEN_DNS ? name.d.dNSName : name.d.iPAddress;
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
            static_cast<std::size_t>(ASN1_STRING_length(value))};
}

std::optional<Identifier> identifierOf(const GENERAL_NAME& name) {
    if (name.type != GEN_DNS && name.type != GEN_IPADD) return std::nullopt;
    const std::string_view value = valueOf(name);
    if (name.type == GEN_DNS) return dnsName(value);
    return ipAddress({reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
}

GeneralNamesPtr alternativeNames(const X509& certificate) {
    GeneralNamesPtr names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
    ERR_clear_error();
    return names;
}

// Baseline Requirements 7.1.4.3: a CN is one of the names of the subjectAltName. Asked only of an
// internationalised one, which is how one name is passed off for another: private CAs write into the CN what
// they like, and no client looks at it.
bool strayCommonName(const X509& certificate) {
    const std::string text = commonNameText(certificate);
    const bool international = text.find("xn--") != std::string::npos ||
                               std::any_of(text.begin(), text.end(), [](char c) { return c < 0; });
    if (!international || text.find('.') == std::string::npos || text.find(' ') != std::string::npos)
        return false;
    const std::optional<Identifier> name = commonName(certificate);
    const std::vector<Identifier> names = namesOf(certificate);
    return !name || std::find(names.begin(), names.end(), *name) == names.end();
}

// Below it anybody may have a name: "co.uk", "s3.amazonaws.com". One that is on no list is a company's own.
bool publicSuffix(const std::string& name) {
    return psl_is_public_suffix2(psl_builtin(), name.c_str(), PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) == 1;
}

}  // namespace

std::vector<Identifier> namesOf(const X509& certificate) {
    std::vector<Identifier> names;
    const GeneralNamesPtr alternative = alternativeNames(certificate);
    for (int i = 0; alternative && i < sk_GENERAL_NAME_num(alternative.get()); ++i)
        if (auto name = identifierOf(*sk_GENERAL_NAME_value(alternative.get(), i)))
            names.push_back(std::move(*name));
    if (X509_get_ext_by_NID(&certificate, NID_subject_alt_name, -1) < 0)
        if (auto name = commonName(certificate)) names.push_back(std::move(*name));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

std::vector<std::string> nameProblems(const X509& certificate) {
    std::vector<std::string> problems;
    const int index = X509_get_ext_by_NID(&certificate, NID_subject_alt_name, -1);
    if (index < 0) return problems;
    const GeneralNamesPtr names = alternativeNames(certificate);
    if (!names) return {"its subjectAltName does not parse"};
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME& name = *sk_GENERAL_NAME_value(names.get(), i);
        if (name.type == GEN_DNS && !validDnsName(valueOf(name)))
            problems.push_back(
                "its subjectAltName number " + std::to_string(i + 1) +
                " is no DNS name: expected letters, digits and hyphens (RFC 5280 4.2.1.6), \"*.\" leftmost");
        if (name.type == GEN_IPADD && !identifierOf(name))
            problems.push_back("its subjectAltName number " + std::to_string(i + 1) +
                               " is no IP address: expected 4 or 16 octets (RFC 5280 4.2.1.6)");
    }
    if (strayCommonName(certificate))
        problems.emplace_back(
            "its CN is an internationalised name and none of its subjectAltName; expected one of those "
            "names, "
            "written as there (Baseline Requirements 7.1.4.3)");
    for (const Identifier& name : namesOf(certificate))
        if (name.wildcard() && publicSuffix(name.value.substr(2)))
            problems.push_back(name.value + " stands for names of other people: " + name.value.substr(2) +
                               " is a public suffix");
    const bool emptySubject = X509_NAME_entry_count(X509_get_subject_name(&certificate)) == 0;
    if (!emptySubject && X509_EXTENSION_get_critical(X509_get_ext(&certificate, index)) == 1)
        problems.emplace_back(
            "its subjectAltName is critical though it has a subject (Baseline Requirements 7.1.2.7.12)");
    return problems;
}

std::string excludedWildcard(const X509& ca, const X509& leaf) {
    const hal::Handle<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free> constraints(
        static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(&ca, NID_name_constraints, nullptr, nullptr)));
    ERR_clear_error();
    if (!constraints) return {};
    const std::vector<Identifier> names = namesOf(leaf);
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees); ++i) {
        const GENERAL_NAME& base = *sk_GENERAL_SUBTREE_value(constraints->excludedSubtrees, i)->base;
        const std::optional<Identifier> excluded = base.type == GEN_DNS ? identifierOf(base) : std::nullopt;
        for (const Identifier& name : names)
            if (excluded && name.wildcard() && covers(name, *excluded)) return name.value;
    }
    return {};
}

}  // namespace certmgr::crypto
