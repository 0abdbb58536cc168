#include "certmgr/acme/solvers/zone_servers.h"

#include "certmgr/acme/solvers/dns_zones.h"
#include "certmgr/core/error.h"
#include "certmgr/net/name_lookup.h"

namespace certmgr::acme {
namespace {

constexpr int longestChain = 8;
constexpr std::uint16_t portOfDns = 53;

// One that cannot be told is no reason not to ask the others.
std::vector<std::string> addressesOf(const std::string& name, const net::DnsServer& knowing) {
    try {
        return net::DnsClient(knowing).addresses(name);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::transient) throw;
        return {};
    }
}

}  // namespace

// The longest of our zones that has the name; absent too where we know none of its servers.
std::optional<ZoneServers::Ours> ZoneServers::ours(const std::string& name) const {
    const DnsSettings* of = nullptr;
    std::string longest;
    for (const DnsSettings& settings : settings_)
        for (const std::string& zone : settings.zones)
            if (liesIn(name, zone) && zone.size() > longest.size()) {
                of = &settings;
                longest = zone;
            }
    if (!of) return std::nullopt;
    if (const auto* const updates = std::get_if<DnsUpdateSettings>(&of->means))
        return Ours{&of->servers, updates->server, longest};
    return of->servers.empty() ? std::nullopt
                               : std::optional(Ours{&of->servers, of->servers.front(), longest});
}

std::string ZoneServers::target(std::string name) const {
    const std::string first = name;
    for (int aliases = 0; aliases <= longestChain; ++aliases) {
        const std::optional<Ours> zone = ours(name);
        const std::optional<std::string> alias = net::DnsClient(zone ? zone->knowing : resolver_).alias(name);
        if (!alias) return name;
        name = *alias;
    }
    throw Error(ErrorKind::misconfigured, "dns-aliases",
                first + " leads to more than " + std::to_string(longestChain) +
                    " aliases (CNAME), one after the other");
}

// By the NS records of the zone. Who has the zone has the addresses in it too, and refuses to tell others.
std::vector<ZoneServers::Server> ZoneServers::named(const std::string& zone, const net::DnsServer& knowing,
                                                    std::uint16_t port) const {
    std::vector<Server> servers;
    for (const std::string& name : net::DnsClient(knowing).nameServers(zone)) {
        std::vector<std::string> addresses = addressesOf(name, liesIn(name, zone) ? knowing : resolver_);
        std::erase_if(addresses, [&](const std::string& address) {
            return !net::hasRouteTo({address, port});
        });
        for (std::string& address : addresses)
            servers.push_back({name + " (" + address + ")", net::DnsServer{std::move(address), port}});
        if (addresses.empty()) servers.push_back({name + " (no address that can be reached)", std::nullopt});
    }
    return servers;
}

std::vector<ZoneServers::Server> ZoneServers::of(const std::string& name) const {
    if (const std::optional<Ours> zone = ours(name)) {
        std::vector<Server> servers;
        for (const net::DnsServer& server : *zone->servers) servers.push_back({toString(server), server});
        if (servers.empty()) servers = named(zone->zone, zone->knowing, zone->knowing.port);
        if (servers.empty()) servers.push_back({toString(zone->knowing), zone->knowing});
        return servers;
    }
    for (std::string zone = name;;) {
        std::vector<Server> servers = named(zone, resolver_, portOfDns);
        const std::size_t dot = zone.find('.');
        if (!servers.empty() || dot == std::string::npos) return servers;
        zone.erase(0, dot + 1);
    }
}

}  // namespace certmgr::acme
