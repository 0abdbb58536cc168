// The name servers that a CA's resolver ends up at: those of the zone that has a name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certmgr/acme/dns_settings.h"

namespace certmgr::acme {

// Thread-safe. Each call blocks for a few seconds at most, and throws what DnsClient throws.
class ZoneServers {
  public:
    // What stands in `settings` of a zone of ours counts; else the zone's NS records, found by `resolver`.
    ZoneServers(std::vector<DnsSettings> settings, net::DnsServer resolver)
        : settings_(std::move(settings)), resolver_(std::move(resolver)) {}

    struct Server {
        std::string name;                      // for people: "ns1.gw.example (192.0.2.53)"
        std::optional<net::DnsServer> server;  // absent: nobody says what its address is
    };
    // Empty: no zone was found that has it.
    std::vector<Server> of(const std::string& name) const;

    // Where aliases (CNAME) lead from there; the name itself where it is none. Error(misconfigured,
    // "dns-aliases") where they do not end.
    std::string target(std::string name) const;

    const net::DnsServer& resolver() const { return resolver_; }

  private:
    struct Ours {
        const std::vector<net::DnsServer>* servers;  // of the settings; empty: they have none
        net::DnsServer knowing;                      // one that has the zone
        std::string zone;
    };
    std::optional<Ours> ours(const std::string& name) const;
    std::vector<Server> named(const std::string& zone, const net::DnsServer& knowing,
                              std::uint16_t port) const;

    const std::vector<DnsSettings> settings_;
    const net::DnsServer resolver_;
};

}  // namespace certmgr::acme
