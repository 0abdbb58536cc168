#include "certmgr/net/dns_client.h"

#include <algorithm>
#include <string_view>

#include "certmgr/core/error.h"
#include "certmgr/net/ldns_support.h"

namespace certmgr::net {
namespace {

constexpr timeval answerLimit{3, 0};
constexpr std::uint8_t tries = 2;
constexpr std::uint32_t lifetime = 60;  // of a record that is gone in minutes
constexpr std::size_t longestString = 255;

[[noreturn]] void unreachable(const DnsServer& server, ldns_status status) {
    throw Error(
        ErrorKind::transient, "dns-unreachable",
        "the name server " + toString(server) + " gave no answer: " + ldns_get_errorstr_by_id(status));
}

LdnsResolver resolverFor(const DnsServer& server) {
    LdnsResolver resolver = server.address.empty() ? systemResolver() : LdnsResolver(ldns_resolver_new());
    if (!server.address.empty()) {
        const bool ip6 = server.address.find(':') != std::string::npos;
        const LdnsRdata address = parsed(ip6 ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A, server.address);
        ldns_resolver_push_nameserver(resolver.get(), address.get());
        ldns_resolver_set_port(resolver.get(), server.port);
        ldns_resolver_set_recursive(resolver.get(), false);
    }
    ldns_resolver_set_timeout(resolver.get(), answerLimit);
    ldns_resolver_set_retry(resolver.get(), tries);
    return resolver;
}

// What `read` makes of each record of that type which the answer has.
template <class Read>
std::vector<std::string> ask(const DnsServer& server, const std::string& name, ldns_rr_type type, Read read) {
    const LdnsResolver resolver = resolverFor(server);
    const LdnsRdata owner = parsedName(name);
    ldns_pkt* received = nullptr;
    // A resolver that is not asked to look further answers from its cache, or not at all; a server of the
    // zone does not mind.
    const ldns_status status =
        ldns_resolver_send(&received, resolver.get(), owner.get(), type, LDNS_RR_CLASS_IN, LDNS_RD);
    const LdnsPacket answer(received);
    if (status != LDNS_STATUS_OK || !answer) unreachable(server, status);
    const ldns_pkt_rcode code = ldns_pkt_get_rcode(answer.get());
    if (code != LDNS_RCODE_NOERROR && code != LDNS_RCODE_NXDOMAIN)
        throw Error(ErrorKind::transient, "dns-failed",
                    "the name server " + toString(server) + " does not answer for " + name +
                        " (response code " + std::to_string(code) + ")");
    std::vector<std::string> found;
    const ldns_rr_list* const records = ldns_pkt_answer(answer.get());
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(records); ++i) {
        const ldns_rr* const record = ldns_rr_list_rr(records, i);
        // A resolver follows aliases, and the servers of another zone are none of this name's.
        const bool ofAnother = type == LDNS_RR_TYPE_NS && nameOf(ldns_rr_owner(record)) != name;
        if (ldns_rr_get_type(record) == type && !ofAnother) found.push_back(read(record));
    }
    return found;
}

std::string firstName(const ldns_rr* record) {
    return nameOf(ldns_rr_rdf(record, 0));
}

// RFC 2136 2.5.1 adds a record of class IN; 2.5.4 deletes one of class NONE, with a TTL of 0.
LdnsRecords updateOf(const DnsRecord& wanted, bool present) {
    if (wanted.text.size() > longestString)
        throw Error(ErrorKind::internal, "defect",
                    "a defect of certmgr: a TXT record of more than one string");
    LdnsRecord record(ldns_rr_new());
    ldns_rr_set_owner(record.get(), parsedName(wanted.owner).release());
    ldns_rr_set_type(record.get(), LDNS_RR_TYPE_TXT);
    ldns_rr_set_class(record.get(), present ? LDNS_RR_CLASS_IN : LDNS_RR_CLASS_NONE);
    ldns_rr_set_ttl(record.get(), present ? lifetime : 0);
    ldns_rr_push_rdf(record.get(), parsed(LDNS_RDF_TYPE_STR, wanted.text).release());
    LdnsRecords records(ldns_rr_list_new());
    ldns_rr_list_push_rr(records.get(), record.release());
    return records;
}

void requireAccepted(const DnsServer& server, const DnsRecord& record, const TsigKey& key, ldns_status status,
                     const ldns_pkt* answer) {
    const std::string update = "an update of the zone " + record.zone + " with the key " + key.name;
    // A server that does not know the key, or knows another secret, cannot sign its answer with it (RFC
    // 8945 5.2).
    if (status == LDNS_STATUS_CRYPTO_TSIG_BOGUS || status == LDNS_STATUS_CRYPTO_TSIG_ERR)
        throw Error(
            ErrorKind::misconfigured, "dns-refused",
            "the name server " + toString(server) + " answered " + update +
                " without the right signature: see that name, algorithm and secret of the key are the "
                "same there, and both clocks are right");
    if (status != LDNS_STATUS_OK || !answer) unreachable(server, status);
    const ldns_pkt_rcode code = ldns_pkt_get_rcode(answer);
    if (code == LDNS_RCODE_NOERROR) return;
    if (code == LDNS_RCODE_SERVFAIL)
        throw Error(ErrorKind::transient, "dns-failed",
                    "the name server " + toString(server) + " failed at " + update);
    throw Error(ErrorKind::misconfigured, "dns-refused",
                "the name server " + toString(server) + " refused " + update + " (response code " +
                    std::to_string(code) +
                    "): see that it is the primary of the zone, and that the key may "
                    "change TXT records of " +
                    record.owner);
}

[[noreturn]] void refuseKey(const TsigKey& key) {
    throw Error(
        ErrorKind::misconfigured, "bad-dns-key",
        "the key " + key.name + " cannot sign: expected hmac-sha256 or hmac-sha512, and a secret in base64");
}

bool isBase64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t end = std::min(text.find_first_not_of(alphabet), text.size());
    const std::string_view padding = text.substr(end);
    return end > 0 && text.size() % 4 == 0 && (padding.empty() || padding == "=" || padding == "==");
}

void update(const DnsServer& server, const DnsRecord& record, const TsigKey& key, bool present) {
    if (!isBase64(key.secret)) refuseKey(key);  // libldns loses memory over such a key
    const LdnsResolver resolver = resolverFor(server);
    ldns_resolver_set_usevc(resolver.get(), true);
    ldns_resolver_set_tsig_keyname(resolver.get(), key.name.c_str());
    ldns_resolver_set_tsig_algorithm(resolver.get(), (key.algorithm + ".").c_str());
    ldns_resolver_set_tsig_keydata(resolver.get(), key.secret.c_str());
    const LdnsRecords changes = updateOf(record, present);
    LdnsRdata zone = parsedName(record.zone);
    const LdnsPacket packet(
        ldns_update_pkt_new(zone.get(), LDNS_RR_CLASS_IN, nullptr, changes.get(), nullptr));
    if (!packet) throw Error(ErrorKind::internal, "out-of-memory", "no memory for a packet of DNS");
    static_cast<void>(zone.release());  // the packet's now
    ldns_pkt_set_random_id(packet.get());
    if (ldns_update_pkt_tsig_add(packet.get(), resolver.get()) != LDNS_STATUS_OK) refuseKey(key);
    ldns_pkt* received = nullptr;
    const ldns_status status = ldns_resolver_send_pkt(&received, resolver.get(), packet.get());
    const LdnsPacket answer(received);
    requireAccepted(server, record, key, status, answer.get());
}

}  // namespace

std::string toString(const DnsServer& server) {
    if (server.address.empty()) return "of /etc/resolv.conf";
    if (server.port == 53) return server.address;
    const bool ip6 = server.address.find(':') != std::string::npos;
    return (ip6 ? "[" + server.address + "]" : server.address) + ":" + std::to_string(server.port);
}

std::optional<std::string> DnsClient::alias(const std::string& name) const {
    const auto found = ask(server_, name, LDNS_RR_TYPE_CNAME, firstName);
    return found.empty() ? std::nullopt : std::optional(found.front());
}

std::vector<std::string> DnsClient::texts(const std::string& name) const {
    return ask(server_, name, LDNS_RR_TYPE_TXT, textOf);
}

std::vector<std::string> DnsClient::nameServers(const std::string& zone) const {
    return ask(server_, zone, LDNS_RR_TYPE_NS, firstName);
}

std::vector<std::string> DnsClient::addresses(const std::string& name) const {
    std::vector<std::string> found = ask(server_, name, LDNS_RR_TYPE_A, firstName);
    for (std::string& address : ask(server_, name, LDNS_RR_TYPE_AAAA, firstName))
        found.push_back(std::move(address));
    return found;
}

void DnsClient::add(const DnsRecord& record, const TsigKey& key) const {
    update(server_, record, key, true);
}

void DnsClient::remove(const DnsRecord& record, const TsigKey& key) const {
    update(server_, record, key, false);
}

}  // namespace certmgr::net
