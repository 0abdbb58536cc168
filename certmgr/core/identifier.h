// A name that a certificate is for: RFC 8555 9.7.7 "dns", RFC 8738 "ip".
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace certmgr {

struct Identifier {
    enum class Type { dns, ip };
    Type type;
    // dns: lower case, no trailing dot, "*." in front for a wildcard; ip: canonical text of inet_ntop.
    std::string value;

    auto operator<=>(const Identifier&) const = default;
    bool wildcard() const noexcept { return type == Type::dns && value.starts_with("*."); }
};

// In one certificate: the limit of the public CAs.
inline constexpr std::size_t maximumNames = 100;

// Throws Error(rejected, "bad-name"). The name stands in the sentence cut to 80 characters,
// and with nothing in it that could rule a terminal.
[[noreturn]] void refuseName(std::string_view text, const std::string& why);

// Checks and normalises. Throws Error(rejected, "bad-name") that says what is wrong with which name: empty,
// over 253 or a label over 63 octets (RFC 1035 2.3.4), a character outside letter-digit-hyphen, a wildcard
// not leftmost, an IDN in Unicode (the message gives the "xn--" advice), an all-numeric last label.
Identifier parseIdentifier(std::string_view text);

// Sorted, without repetitions; throws "bad-name" for an empty list or more than maximumNames.
std::vector<Identifier> parseIdentifiers(const std::vector<std::string>& texts);

// What of it is proved: without "*.", which is no part of that (RFC 8555 7.1.4).
std::string provenName(const Identifier& name);

// Does the name in a certificate (which may be a wildcard) cover the wanted one? RFC 9525 6.3: one label,
// leftmost only. A wanted wildcard is covered by the equal wildcard only.
bool covers(const Identifier& presented, const Identifier& wanted);
bool coversAll(const std::vector<Identifier>& presented, const std::vector<Identifier>& wanted);

// Why no public CA can issue for this name (private address, .local, single label, reserved suffix of RFC
// 6761/6762); empty: one can.
std::string whyNotPublic(const Identifier& identifier);

}  // namespace certmgr
