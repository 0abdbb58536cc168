#include "certmgr/acme/solvers/dns_solver.h"

#include <algorithm>

#include "certmgr/acme/solvers/account_label.h"
#include "certmgr/core/error.h"
#include "certmgr/crypto/digest.h"
#include "hal/key_store.h"

namespace certmgr::acme {
namespace {

// By then all servers of a zone know what it has.
constexpr std::chrono::hours slowestServer{1};

// A name that nobody has.
std::string siblingOf(const std::string& name) {
    return hal::KeyId::fresh().text() + name.substr(name.find('.'));
}

}  // namespace

DnsSolver::DnsSolver(ChallengeKind kind, std::shared_ptr<DnsZones> zones, net::DnsServer resolver,
                     std::filesystem::path records)
    : kind_(kind),
      zones_(std::move(zones)),
      servers_(zones_->settings(), std::move(resolver)),
      records_(std::move(records)) {}

std::string DnsSolver::nameToProve(const Identifier& identifier, const std::string& account) const {
    // RFC 8555 8.4: "a TXT resource record [...] under the authorization domain name", the one without "*."
    const std::string name = "_acme-challenge." + provenName(identifier);
    return kind_ == ChallengeKind::dnsAccount01 ? accountLabel(account) + "." + name : name;
}

// A CA follows aliases (RFC 8555 8.4 looks the name up as any other), so that a zone may leave the proofs of
// its names to another one.
std::optional<DnsSolver::Place> DnsSolver::placeFor(const std::string& owner) const {
    std::string name = servers_.target(owner);
    // The alias of a wildcard (RFC 4592): a record at the name itself takes its place.
    if (name != owner && zones_->find(owner) && servers_.target(siblingOf(owner)) == name) name = owner;
    const std::optional<DnsZones::Zone> zone = zones_->find(name);
    return zone ? std::optional(Place{*zone, name}) : std::nullopt;
}

DnsSolver::Place DnsSolver::placeOf(const net::DnsRecord& record) const {
    std::optional<DnsZones::Zone> zone = zones_->find(record.owner);
    if (!zone)
        throw Error(ErrorKind::misconfigured, "dns-zone-gone",
                    "no [[dns]] has the zone " + record.zone + " any more");
    return {{zone->table, record.zone}, record.owner};
}

std::string DnsSolver::whyNotAt(const std::optional<Place>& place, const std::string& name) const {
    if (place) return place->zone.table->writer->whyNot(place->owner);
    return "has no zone for " + name +
           " (add it to [[dns]], or make that name an alias into one of "
           "the zones there)";
}

std::string DnsSolver::whyNot(const Identifier& identifier, const Asking& ca) const {
    const std::string name = nameToProve(identifier, ca.account);
    return whyNotAt(placeFor(name), name);
}

void DnsSolver::present(const Proof& proof) {
    const std::string name = nameToProve(proof.identifier, proof.account);
    const std::optional<Place> place = placeFor(name);
    if (const std::string why = whyNotAt(place, name); !why.empty())
        throw Error(ErrorKind::misconfigured, "dns-zone-gone", "it " + why);
    // RFC 8555 8.4: the base64url of the SHA-256 digest of the key authorization
    const ProofRecord record{
        {place->zone.name, place->owner, crypto::sha256Base64url(proof.keyAuthorization)}, proof.token};
    const BusyNames::Turn turn = busy_.await(place->owner);
    records_.add(proof, record);
    place->zone.table->writer->add(record);
}

void DnsSolver::remove(const Proof& proof) noexcept {
    try {
        const std::optional<ProofRecord> record = records_.find(proof);
        if (!record) return;
        const BusyNames::Turn turn = busy_.await(record->record.owner);
        if (!records_.find(proof)) return;  // taken away while this waited
        records_.end(proof);
        RecordWriter& writer = *placeOf(record->record).zone.table->writer;
        if (mustStay(writer, record->record.owner)) return;
        writer.remove(*record);
        records_.forget(proof);
    } catch (const Error&) {  // stays on disk for clearAway()
    }
}

// A CA may be looking for another one there.
bool DnsSolver::mustStay(const RecordWriter& writer, const std::string& owner) const {
    return writer.mayRemoveOthers() &&
           records_.anyAt(owner, std::filesystem::file_time_type::clock::now() - longestRun);
}

// A program may fail because of a record that it has taken away already, in a run that crashed.
bool DnsSolver::isGone(const PresentedRecords::Left& left) const {
    if (std::filesystem::file_time_type::clock::now() - left.since < slowestServer) return false;
    try {
        return std::ranges::all_of(serversOf(placeOf(left.record.record)),
                                   [&](const ZoneServers::Server& each) {
                                       return lookAt(each, left.record.record) == Seen::notThere;
                                   });
    } catch (const Error&) {
        return false;
    }
}

bool DnsSolver::withdraw(const PresentedRecords::Left& left, std::set<std::string>& silent) {
    const BusyNames::Turn turn = busy_.tryNow(left.record.record.owner);
    if (!turn) return false;
    if (!records_.isLeft(left)) return true;
    std::string means;
    try {
        RecordWriter& writer = *placeOf(left.record.record).zone.table->writer;
        means = writer.means();
        if (silent.contains(means) || mustStay(writer, left.record.record.owner)) return false;
        writer.remove(left.record);
    } catch (const Error& error) {
        // Each other record would take all of its time again, in which no order gets at a program.
        if (error.code() == "dns-hook-timeout" || error.code() == "dns-unreachable") silent.insert(means);
        // "dns-zone-gone": by the administrator's will, nobody here has a key for it
        if (error.code() != "dns-zone-gone" && !isGone(left)) throw;
    }
    records_.forget(left);
    return true;
}

int DnsSolver::clearAway() {
    std::optional<Error> trouble;
    std::set<std::string> silent;
    int remaining = 0;
    for (const PresentedRecords::Left& left :
         records_.left(std::filesystem::file_time_type::clock::now() - longestRun)) {
        try {
            if (!withdraw(left, silent)) ++remaining;
        } catch (Error& error) {
            trouble = error.within("removing the record " + left.record.record.owner);
        }
    }
    if (trouble) throw *trouble;
    return remaining;
}

std::vector<ZoneServers::Server> DnsSolver::serversOf(const Place& place) const {
    std::vector<ZoneServers::Server> all = servers_.of(place.owner);
    if (all.empty()) all.push_back({"the servers of " + place.zone.name + ", which has no NS records", {}});
    return all;
}

DnsSolver::Seen DnsSolver::lookAt(const ZoneServers::Server& server, const net::DnsRecord& record) {
    if (!server.server) return Seen::noAnswer;
    try {
        const std::vector<std::string> texts = net::DnsClient(*server.server).texts(record.owner);
        return std::ranges::find(texts, record.text) == texts.end() ? Seen::notThere : Seen::there;
    } catch (const Error&) {  // a CA would ask another server
        return Seen::noAnswer;
    }
}

std::optional<Solver::Missing> DnsSolver::missing(const Proof& proof) const {
    const std::optional<ProofRecord> record = records_.find(proof);
    if (!record)
        return Missing{"the record of " + proof.identifier.value + ", which is not on disk any more"};
    std::string waiting;
    bool seen = false;
    bool stale = false;
    for (const ZoneServers::Server& each : serversOf(placeOf(record->record))) {
        const Seen look = lookAt(each, record->record);
        seen = seen || look == Seen::there;
        stale = stale || look == Seen::notThere;
        if (look != Seen::there) waiting += (waiting.empty() ? "" : ", ") + each.name;
    }
    if (waiting.empty()) return std::nullopt;
    return Missing{"the record " + record->record.owner + " at " + waiting, stale || !seen};
}

}  // namespace certmgr::acme
