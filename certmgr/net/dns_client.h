// DNS, as far as dns-01 needs it: questions to one server, and dynamic updates (RFC 2136) signed with TSIG
// (RFC 8945).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace certmgr::net {

struct DnsServer {
    std::string address;  // IPv4 or IPv6, as inet_ntop(3) writes it
    std::uint16_t port = 53;
    auto operator<=>(const DnsServer&) const = default;
};
std::string toString(const DnsServer& server);  // "192.0.2.53", "[2001:db8::53]:5353"

struct TsigKey {
    std::string name;
    std::string algorithm;  // "hmac-sha256", "hmac-sha512"
    std::string secret;     // in base64
};

struct DnsRecord {
    std::string zone;
    std::string owner;
    std::string text;  // of type TXT
};

// Thread-safe: it holds nothing but the address. Every call blocks for a few seconds at most. Names come back
// in lower case without the last dot; a name or a type that is not there is an empty answer. Errors:
// transient "dns-unreachable", "dns-failed"; misconfigured "dns-refused" (the key, or its rights),
// "bad-dns-key", "bad-dns-name".
class DnsClient {
  public:
    // Without an address: those of /etc/resolv.conf, for questions only.
    explicit DnsClient(DnsServer server) : server_(std::move(server)) {}

    std::optional<std::string> alias(const std::string& name) const;  // CNAME
    std::vector<std::string> texts(const std::string& name) const;    // TXT, the parts of each joined
    std::vector<std::string> nameServers(const std::string& zone) const;
    std::vector<std::string> addresses(const std::string& name) const;  // A, then AAAA

    // Adding what is there, and removing what is not, changes nothing; other records of the name stay.
    void add(const DnsRecord& record, const TsigKey& key) const;
    void remove(const DnsRecord& record, const TsigKey& key) const;

  private:
    const DnsServer server_;
};

}  // namespace certmgr::net
