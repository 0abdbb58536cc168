// What a certificate of the box's own CA may be issued to: RFC 5280 4.2.1.6 dNSName, iPAddress, rfc822Name
// and uniformResourceIdentifier.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/identifier.h"

namespace certmgr {

struct AlternativeName {
    enum class Type { dns, ip, email, uri };
    Type type;
    std::string value;  // dns and ip as in Identifier; of an e-mail address the domain in lower case

    auto operator<=>(const AlternativeName&) const = default;
};

// "dns:gw.example", "ip:192.0.2.1", "email:anna@example.org", "uri:urn:uuid:…". Throws Error(rejected,
// "bad-name") that says what is wrong with which name.
AlternativeName parseAlternativeName(std::string_view text);
// Sorted, without repetitions, at most maximumNames.
std::vector<AlternativeName> parseAlternativeNames(const std::vector<std::string>& texts);

std::string toString(const AlternativeName& name);
std::vector<AlternativeName> alternativeNamesOf(const std::vector<Identifier>& names);

}  // namespace certmgr
