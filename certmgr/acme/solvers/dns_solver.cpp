#include "certmgr/acme/solvers/dns_solver.h"

#include <algorithm>

#include "certmgr/acme/solvers/account_label.h"
#include "certmgr/core/error.h"
#include "certmgr/core/secret_file.h"
#include "certmgr/crypto/digest.h"

namespace certmgr::acme {
namespace {

constexpr int mostAliases = 8;

bool liesIn(const std::string& name, const std::string& zone) {
    return name == zone || name.ends_with("." + zone);
}

net::TsigKey keyOf(const DnsSettings& settings) {
    return {settings.keyName, settings.algorithm, readSecret(settings.secretFile)};
}

std::chrono::seconds longestPatience(const std::vector<DnsSettings>& settings) {
    std::chrono::seconds longest{0};
    for (const DnsSettings& each : settings) longest = std::max(longest, each.patience);
    return longest;
}

}  // namespace

DnsSolver::DnsSolver(ChallengeKind kind, std::vector<DnsSettings> settings, net::DnsClient resolver,
                     std::filesystem::path records)
    : kind_(kind),
      settings_(std::move(settings)),
      resolver_(std::move(resolver)),
      records_(std::move(records)),
      patience_(longestPatience(settings_)) {}

std::string DnsSolver::nameToProve(const Identifier& identifier, const std::string& account) const {
    // RFC 8555 8.4: "a TXT resource record [...] under the authorization domain name", the one without "*."
    const std::string name =
        "_acme-challenge." + (identifier.wildcard() ? identifier.value.substr(2) : identifier.value);
    return kind_ == ChallengeKind::dnsAccount01 ? accountLabel(account) + "." + name : name;
}

// The longest of our zones that has the name.
std::optional<DnsSolver::Place> DnsSolver::zoneOf(const std::string& name) const {
    std::optional<Place> best;
    for (const DnsSettings& settings : settings_)
        for (const std::string& zone : settings.zones)
            if (liesIn(name, zone) && (!best || zone.size() > best->zone.size()))
                best = Place{&settings, zone, name};
    return best;
}

// A CA follows aliases (RFC 8555 8.4 looks the name up as any other), so that a zone may leave the proofs of
// its names to another one.
std::optional<DnsSolver::Place> DnsSolver::placeFor(const std::string& owner) const {
    std::string name = owner;
    for (int aliases = 0; aliases <= mostAliases; ++aliases) {
        std::optional<Place> place = zoneOf(name);
        const std::optional<std::string> alias =
            place ? net::DnsClient(place->settings->server).alias(name) : resolver_.alias(name);
        if (!alias) return place;
        name = *alias;
    }
    throw Error(ErrorKind::misconfigured, "dns-aliases",
                owner + " leads to more than " + std::to_string(mostAliases) +
                    " aliases (CNAME), one after the other");
}

DnsSolver::Place DnsSolver::placeOf(const net::DnsRecord& record) const {
    const std::optional<Place> place = zoneOf(record.owner);
    if (!place)
        throw Error(ErrorKind::misconfigured, "dns-zone-gone",
                    "no [[dns]] has the zone " + record.zone + " any more");
    return {place->settings, record.zone, record.owner};
}

std::string DnsSolver::whyNot(const Identifier& identifier, const std::string& account) const {
    const std::string name = nameToProve(identifier, account);
    if (placeFor(name)) return "";
    return "has no zone for " + name +
           " (add it to [[dns]], or make that name an alias into one of "
           "the zones there)";
}

void DnsSolver::present(const Proof& proof) {
    const std::optional<Place> place = placeFor(nameToProve(proof.identifier, proof.account));
    if (!place)
        throw Error(ErrorKind::misconfigured, "dns-zone-gone",
                    "it " + whyNot(proof.identifier, proof.account));
    // RFC 8555 8.4: the base64url of the SHA-256 digest of the key authorization
    const net::DnsRecord record{place->zone, place->owner, crypto::sha256Base64url(proof.keyAuthorization)};
    const net::TsigKey key = keyOf(*place->settings);
    records_.add(proof, record);
    net::DnsClient(place->settings->server).add(record, key);
}

void DnsSolver::withdraw(const net::DnsRecord& record) const {
    const Place place = placeOf(record);
    net::DnsClient(place.settings->server).remove(record, keyOf(*place.settings));
}

void DnsSolver::remove(const Proof& proof) noexcept {
    try {
        const std::optional<net::DnsRecord> record = records_.find(proof);
        if (!record) return;
        records_.end(proof);
        withdraw(*record);
        records_.forget(proof);
    } catch (const Error&) {  // stays on disk for clearAway()
    }
}

int DnsSolver::clearAway() {
    int kept = 0;
    for (const PresentedRecords::Left& left :
         records_.left(std::filesystem::file_time_type::clock::now() - longestRun)) {
        try {
            withdraw(left.record);
            records_.forget(left);
        } catch (const Error& error) {
            if (error.code() == "dns-zone-gone")
                records_.forget(left);  // by the administrator's will: nobody here has a key for it
            else
                ++kept;
        }
    }
    return kept;
}

std::vector<DnsSolver::Authoritative> DnsSolver::serversOf(const Place& place) const {
    std::vector<Authoritative> all;
    for (const net::DnsServer& server : place.settings->servers) all.push_back({toString(server), server});
    if (!all.empty()) return all;
    const net::DnsClient primary(place.settings->server);
    for (const std::string& name : primary.nameServers(place.zone)) {
        std::vector<std::string> addresses =
            liesIn(name, place.zone) ? primary.addresses(name) : resolver_.addresses(name);
        for (std::string& address : addresses)
            all.push_back({name + " (" + address + ")",
                           net::DnsServer{std::move(address), place.settings->server.port}});
        if (addresses.empty()) all.push_back({name + " (no address)", std::nullopt});
    }
    if (all.empty()) all.push_back({toString(place.settings->server), place.settings->server});
    return all;
}

std::optional<Solver::Missing> DnsSolver::missing(const Proof& proof) const {
    const std::optional<net::DnsRecord> record = records_.find(proof);
    if (!record)
        return Missing{"the record of " + proof.identifier.value + ", which is not on disk any more"};
    std::string waiting;
    bool seen = false;
    bool stale = false;
    for (const Authoritative& each : serversOf(placeOf(*record))) {
        try {
            if (each.server) {
                const std::vector<std::string> texts = net::DnsClient(*each.server).texts(record->owner);
                const bool has = std::ranges::find(texts, record->text) != texts.end();
                (has ? seen : stale) = true;
                if (has) continue;
            }
        } catch (const Error&) {  // no answer: a CA would ask another server
        }
        waiting += (waiting.empty() ? "" : ", ") + each.name;
    }
    if (waiting.empty()) return std::nullopt;
    return Missing{"the record " + record->owner + " at " + waiting, stale || !seen};
}

}  // namespace certmgr::acme
