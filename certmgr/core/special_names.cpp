// Names and addresses that no public CA can issue for, from the registries of IANA as of November 2026.
#include <array>
#include <cstdint>
#include <optional>

#include <arpa/inet.h>

#include "certmgr/core/identifier.h"

namespace certmgr {
namespace {

struct Suffix {
    std::string_view name;
    std::string_view why;
};

constexpr std::array suffixes{
    Suffix{"test", "is reserved for testing (RFC 6761)"},
    Suffix{"example", "is reserved for documentation (RFC 6761)"},
    Suffix{"example.com", "is reserved for documentation (RFC 6761)"},
    Suffix{"example.net", "is reserved for documentation (RFC 6761)"},
    Suffix{"example.org", "is reserved for documentation (RFC 6761)"},
    Suffix{"invalid", "is reserved and never resolves (RFC 6761)"},
    Suffix{"localhost", "always means the own machine (RFC 6761)"},
    Suffix{"local", "belongs to multicast DNS on the local link (RFC 6762)"},
    Suffix{"home.arpa", "is reserved for home networks (RFC 8375)"},
    Suffix{"internal", "is reserved for private networks by ICANN"},
    Suffix{"alt", "is reserved for names outside DNS (RFC 9476)"},
    Suffix{"onion", "is a Tor service (RFC 7686), which DNS validation cannot reach"},
    Suffix{"intranet", "is used in private networks only (RFC 6762 appendix G)"},
    Suffix{"private", "is used in private networks only (RFC 6762 appendix G)"},
    Suffix{"corp", "is used in private networks only (RFC 6762 appendix G)"},
    Suffix{"home", "is used in private networks only (RFC 6762 appendix G)"},
    Suffix{"lan", "is used in private networks only (RFC 6762 appendix G)"},
};

// In the order of their looking up: where ranges lie inside each other, the smaller one comes first. Empty:
// reachable.
struct Range {
    const char* prefix;
    unsigned bits;
    std::string_view what;
};

constexpr std::array ranges4{
    Range{"0.0.0.0", 8, "\"this network\" (RFC 791)"},
    Range{"10.0.0.0", 8, "private (RFC 1918)"},
    Range{"100.64.0.0", 10, "shared by a provider's NAT (RFC 6598)"},
    Range{"127.0.0.0", 8, "loopback (RFC 1122)"},
    Range{"169.254.0.0", 16, "link-local (RFC 3927)"},
    Range{"172.16.0.0", 12, "private (RFC 1918)"},
    Range{"192.0.0.9", 32, ""},
    Range{"192.0.0.10", 32, ""},
    Range{"192.0.0.0", 24, "reserved for IETF protocols (RFC 6890)"},
    Range{"192.0.2.0", 24, "reserved for documentation (RFC 5737)"},
    Range{"192.88.99.0", 24, "the former 6to4 relay (RFC 7526)"},
    Range{"192.168.0.0", 16, "private (RFC 1918)"},
    Range{"198.18.0.0", 15, "reserved for benchmarks (RFC 2544)"},
    Range{"198.51.100.0", 24, "reserved for documentation (RFC 5737)"},
    Range{"203.0.113.0", 24, "reserved for documentation (RFC 5737)"},
    Range{"224.0.0.0", 4, "multicast (RFC 5771)"},
    Range{"240.0.0.0", 4, "reserved or broadcast (RFC 1112, RFC 919)"},
};

constexpr std::array ranges6{
    Range{"::1", 128, "loopback (RFC 4291)"},
    Range{"::", 128, "unspecified (RFC 4291)"},
    Range{"::ffff:0:0", 96, "an IPv4-mapped address (RFC 4291)"},
    Range{"64:ff9b::", 96, "an IPv4 address behind NAT64 (RFC 6052)"},
    Range{"64:ff9b:1::", 48, "a private NAT64 prefix (RFC 8215)"},
    Range{"100::", 64, "discard-only (RFC 6666)"},
    Range{"100:0:0:1::", 64, "a dummy prefix (RFC 9780)"},
    Range{"2001:1::1", 128, ""},
    Range{"2001:1::2", 128, ""},
    Range{"2001:1::3", 128, ""},
    Range{"2001:3::", 32, ""},
    Range{"2001:4:112::", 48, ""},
    Range{"2001:20::", 28, "an ORCHID identifier (RFC 7343)"},
    Range{"2001::", 32, "a Teredo address (RFC 4380)"},
    Range{"2001::", 23, "reserved for IETF protocols (RFC 2928)"},
    Range{"2001:db8::", 32, "reserved for documentation (RFC 3849)"},
    Range{"2002::", 16, "a 6to4 address (RFC 3056)"},
    Range{"3fff::", 20, "reserved for documentation (RFC 9637)"},
    Range{"2000::", 3, ""},
    Range{"5f00::", 16, "a segment routing identifier (RFC 9602)"},
    Range{"fc00::", 7, "unique local, which is private (RFC 4193)"},
    Range{"fe80::", 10, "link-local (RFC 4291)"},
    Range{"ff00::", 8, "multicast (RFC 4291)"},
    Range{"::", 0, "outside the global unicast space 2000::/3 (RFC 4291)"},
};

using Address = std::array<std::uint8_t, sizeof(in6_addr)>;

std::optional<Address> parse(int family, const char* text) {
    Address address{};
    if (::inet_pton(family, text, address.data()) != 1) return std::nullopt;
    return address;
}

bool inside(const Address& address, const Address& prefix, unsigned bits) {
    for (unsigned bit = 0; bit < bits; ++bit)
        if (((address[bit / 8] ^ prefix[bit / 8]) >> (7 - bit % 8)) & 1) return false;
    return true;
}

template <std::size_t size>
std::string_view lookUp(const std::array<Range, size>& ranges, int family, const Address& address) {
    for (const Range& range : ranges)
        if (inside(address, *parse(family, range.prefix), range.bits)) return range.what;
    return "";
}

std::string whyNotPublicAddress(const std::string& text) {
    std::string_view what;
    if (const auto address4 = parse(AF_INET, text.c_str()))
        what = lookUp(ranges4, AF_INET, *address4);
    else if (const auto address6 = parse(AF_INET6, text.c_str()))
        what = lookUp(ranges6, AF_INET6, *address6);
    if (what.empty()) return "";
    return "the address " + text + " is " + std::string(what) + ", so no public CA can reach it";
}

bool hasSuffix(std::string_view name, std::string_view suffix) {
    if (!name.ends_with(suffix)) return false;
    return name.size() == suffix.size() || name[name.size() - suffix.size() - 1] == '.';
}

}  // namespace

std::string whyNotPublic(const Identifier& identifier) {
    if (identifier.type == Identifier::Type::ip) return whyNotPublicAddress(identifier.value);
    const std::string& name = identifier.value;
    for (const auto& [suffix, why] : suffixes)
        if (hasSuffix(name, suffix))
            return "no public CA issues for " + name + ": \"." + std::string(suffix) + "\" " +
                   std::string(why);
    if (name.find('.') == std::string::npos)
        return "no public CA issues for " + name + ": a name without a dot exists only in the local network";
    return "";
}

}  // namespace certmgr
