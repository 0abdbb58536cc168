#include "certmgr/acme/solvers/zone_servers.h"

#include "certmgr/core/error.h"

namespace certmgr::acme {
namespace {

constexpr int longestChain = 8;
constexpr std::uint16_t portOfDns = 53;

bool isOf(const std::string& name, const std::string& zone) {
    return name == zone || name.ends_with("." + zone);
}

}  // namespace

// The longest of our zones that has the name, and of which we know a server.
std::optional<ZoneServers::Ours> ZoneServers::ours(const std::string& name) const {
    std::optional<Ours> best;
    for (const DnsSettings& settings : settings_) {
        const auto* const updates = std::get_if<DnsUpdateSettings>(&settings.means);
        if (!updates && settings.servers.empty()) continue;
        for (const std::string& zone : settings.zones)
            if (isOf(name, zone) && (!best || zone.size() > best->zone.size()))
                best = Ours{&settings.servers, updates ? updates->server : settings.servers.front(), zone};
    }
    return best;
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

std::vector<ZoneServers::Server> ZoneServers::named(const std::vector<std::string>& names, std::uint16_t port,
                                                    const net::DnsClient& asked) const {
    std::vector<Server> servers;
    for (const std::string& name : names) {
        std::vector<std::string> addresses = asked.addresses(name);
        if (addresses.empty()) addresses = net::DnsClient(resolver_).addresses(name);
        for (std::string& address : addresses)
            servers.push_back({name + " (" + address + ")", net::DnsServer{std::move(address), port}});
    }
    return servers;
}

std::vector<ZoneServers::Server> ZoneServers::of(const std::string& name) const {
    if (const std::optional<Ours> zone = ours(name)) {
        std::vector<Server> servers;
        for (const net::DnsServer& server : *zone->servers) servers.push_back({toString(server), server});
        if (servers.empty()) {
            const net::DnsClient asked(zone->knowing);
            servers = named(asked.nameServers(zone->zone), zone->knowing.port, asked);
        }
        if (servers.empty()) servers.push_back({toString(zone->knowing), zone->knowing});
        return servers;
    }
    const net::DnsClient resolver(resolver_);
    for (std::string zone = name;;) {
        const std::vector<std::string> names = resolver.nameServers(zone);
        if (!names.empty()) return named(names, portOfDns, resolver);
        const std::size_t dot = zone.find('.');
        if (dot == std::string::npos) return {};
        zone.erase(0, dot + 1);
    }
}

}  // namespace certmgr::acme
