#include "certmgr/net/name_lookup.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "certmgr/core/error.h"
#include "certmgr/net/ldns_support.h"

namespace certmgr::net {
namespace {

using LookupClock = std::chrono::steady_clock;

constexpr std::size_t largestAnswer = 4096;
constexpr std::uint16_t offeredSize = 1232;  // of an answer by UDP, which no network cuts
constexpr int mostAliasesFollowed = 8;
constexpr std::chrono::milliseconds askAgain{1000};

ldns_rr_type typeOf(NameLookup::Question::Type type) {
    switch (type) {
        case NameLookup::Question::Type::a:
            return LDNS_RR_TYPE_A;
        case NameLookup::Question::Type::aaaa:
            return LDNS_RR_TYPE_AAAA;
        case NameLookup::Question::Type::caa:
            return LDNS_RR_TYPE_CAA;
        case NameLookup::Question::Type::txt:
            return LDNS_RR_TYPE_TXT;
    }
    return LDNS_RR_TYPE_A;
}

struct ServerAddress {
    sockaddr_storage address{};
    socklen_t length = 0;
};

ServerAddress addressOf(const ldns_rdf* rdata, std::uint16_t port) {
    std::size_t size = 0;
    const std::unique_ptr<sockaddr_storage, hal::Deleter<::free>> found(
        ldns_rdf2native_sockaddr_storage(rdata, port, &size));
    return found ? ServerAddress{*found, static_cast<socklen_t>(size)} : ServerAddress{};
}

ServerAddress serverAddress(const DnsServer& resolver) {
    if (!resolver.address.empty()) {
        const bool ip6 = resolver.address.find(':') != std::string::npos;
        return addressOf(parsed(ip6 ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A, resolver.address).get(),
                         resolver.port);
    }
    const LdnsResolver system = systemResolver();
    if (ldns_resolver_nameserver_count(system.get()) == 0) return {};
    return addressOf(ldns_resolver_nameservers(system.get())[0], 53);
}

// Connected, so that a port where nobody listens is known at once.
hal::UniqueFd connectedTo(const ServerAddress& server) {
    hal::UniqueFd socket(::socket(server.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto* const address = reinterpret_cast<const sockaddr*>(&server.address);
    if (server.length == 0 || !socket || ::connect(socket.get(), address, server.length) != 0) return {};
    return socket;
}

LdnsPacket queryFor(const std::string& name, ldns_rr_type type) {
    LdnsPacket packet(ldns_pkt_query_new(parsedName(name).release(), type, LDNS_RR_CLASS_IN, LDNS_RD));
    if (!packet) throw Error(ErrorKind::internal, "out-of-memory", "no memory for a packet of DNS");
    ldns_pkt_set_random_id(packet.get());
    ldns_pkt_set_edns_udp_size(packet.get(), offeredSize);
    return packet;
}

// By TCP, of what is too long for a datagram.
LdnsPacket askByTcp(const ServerAddress& server, const ldns_pkt* query) {
    const std::unique_ptr<ldns_buffer, hal::Deleter<::ldns_buffer_free>> wire(ldns_buffer_new(512));
    std::uint8_t* answer = nullptr;
    std::size_t size = 0;
    if (!wire || ldns_pkt2buffer_wire(wire.get(), query) != LDNS_STATUS_OK ||
        ldns_tcp_send(&answer, wire.get(), &server.address, server.length, timeval{2, 0}, &size) !=
            LDNS_STATUS_OK)
        return {};
    const std::unique_ptr<std::uint8_t, hal::Deleter<::free>> kept(answer);
    ldns_pkt* packet = nullptr;
    ldns_wire2pkt(&packet, answer, size);
    return LdnsPacket(packet);
}

// Absent: it is cut short. ldns has no field for an empty value.
std::optional<CaaRecord> caaOf(const ldns_rr* record) {
    const auto bytes = [&](std::size_t index) {
        const ldns_rdf* const part = index < ldns_rr_rd_count(record) ? ldns_rr_rdf(record, index) : nullptr;
        if (!part) return std::string();
        return std::string(reinterpret_cast<const char*>(ldns_rdf_data(part)), ldns_rdf_size(part));
    };
    const std::string flags = bytes(0);
    const std::string tag = bytes(1);  // after its length
    if (flags.empty() || tag.size() < 2) return std::nullopt;
    return CaaRecord{static_cast<std::uint8_t>(flags.front()), tag.substr(1), bytes(2)};
}

// What one question has come to.
class Asked {
  public:
    explicit Asked(const NameLookup::Question& question)
        : type_(typeOf(question.type)), name_(question.name), query_(queryFor(name_, type_)) {}

    bool open() const { return open_; }
    const Lookup& result() const { return result_; }

    bool send(int socket) const {
        std::uint8_t* wire = nullptr;
        std::size_t size = 0;
        if (ldns_pkt2wire(&wire, query_.get(), &size) != LDNS_STATUS_OK) return false;
        const std::unique_ptr<std::uint8_t, hal::Deleter<::free>> kept(wire);
        return ::send(socket, wire, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
    }

    // Whether the answer was to this question. `again`: an alias leads on, and is to be asked.
    bool take(const ldns_pkt* answer, const ServerAddress& server, bool& again) {
        if (!open_ || ldns_pkt_id(answer) != ldns_pkt_id(query_.get()) || !sameQuestion(answer)) return false;
        if (!ldns_pkt_tc(answer)) return read(answer, again), true;
        const LdnsPacket whole = askByTcp(server, query_.get());
        if (whole)
            read(whole.get(), again);
        else
            open_ = false;
        return true;
    }

  private:
    bool sameQuestion(const ldns_pkt* answer) const {
        const ldns_rr* const asked = ldns_rr_list_rr(ldns_pkt_question(answer), 0);
        return asked && ldns_rr_get_type(asked) == type_ && nameOf(ldns_rr_owner(asked)) == name_;
    }

    void end(LookupOutcome outcome) {
        result_.outcome = outcome;
        open_ = false;
    }

    void read(const ldns_pkt* answer, bool& again) {
        const ldns_pkt_rcode code = ldns_pkt_get_rcode(answer);
        if (code == LDNS_RCODE_SERVFAIL) return end(LookupOutcome::failed);
        if (code != LDNS_RCODE_NOERROR && code != LDNS_RCODE_NXDOMAIN) return end(LookupOutcome::unreachable);
        std::string last = name_;
        const ldns_rr_list* const records = ldns_pkt_answer(answer);
        for (std::size_t i = 0; i < ldns_rr_list_rr_count(records); ++i) {
            const ldns_rr* const record = ldns_rr_list_rr(records, i);
            if (ldns_rr_get_type(record) == LDNS_RR_TYPE_CNAME && nameOf(ldns_rr_owner(record)) == last)
                last = nameOf(ldns_rr_rdf(record, 0));
            if (ldns_rr_get_type(record) == type_) keep(record);
        }
        const bool leadsOn = last != name_ && result_.values.empty() && result_.caa.empty();
        if (!leadsOn || code == LDNS_RCODE_NXDOMAIN) return end(LookupOutcome::answered);
        if (++aliases_ > mostAliasesFollowed) return end(LookupOutcome::failed);
        name_ = last;
        query_ = queryFor(name_, type_);
        again = true;
    }

    void keep(const ldns_rr* record) {
        if (type_ == LDNS_RR_TYPE_CAA) {
            if (auto caa = caaOf(record)) result_.caa.push_back(*std::move(caa));
        } else if (type_ == LDNS_RR_TYPE_A || type_ == LDNS_RR_TYPE_AAAA) {
            result_.values.push_back(nameOf(ldns_rr_rdf(record, 0)));
        } else if (type_ == LDNS_RR_TYPE_TXT) {
            result_.values.push_back(textOf(record));
        }
    }

    const ldns_rr_type type_;
    std::string name_;
    LdnsPacket query_;
    int aliases_ = 0;
    bool open_ = true;
    Lookup result_;
};

// All of them over one socket, within the limit.
class Asking {
  public:
    Asking(const ServerAddress& server, std::vector<Asked>& asked)
        : server_(server), asked_(asked), socket_(connectedTo(server)) {}

    void run(std::chrono::milliseconds limit) {
        const LookupClock::time_point end = LookupClock::now() + limit;
        while (socket_ && anyOpen() && LookupClock::now() < end) {
            for (const Asked& each : asked_)
                if (each.open() && !each.send(socket_.get())) return;
            const LookupClock::time_point turn = std::min(end, LookupClock::now() + askAgain);
            if (!receive(turn)) return;
        }
    }

  private:
    bool anyOpen() const { return std::ranges::any_of(asked_, &Asked::open); }

    // False: the resolver refuses to be asked.
    bool receive(LookupClock::time_point end) {
        std::array<std::uint8_t, largestAnswer> buffer{};
        while (anyOpen()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - LookupClock::now());
            if (left.count() <= 0) return true;
            pollfd ready{socket_.get(), POLLIN, 0};
            if (::poll(&ready, 1, static_cast<int>(left.count())) <= 0) continue;
            const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
            if (size < 0 && errno != EAGAIN && errno != EINTR) return false;
            if (size > 0 && !take(buffer.data(), static_cast<std::size_t>(size))) return false;
        }
        return true;
    }

    bool take(const std::uint8_t* data, std::size_t size) {
        ldns_pkt* read = nullptr;
        if (ldns_wire2pkt(&read, data, size) != LDNS_STATUS_OK) return true;  // asked again, in its time
        const LdnsPacket answer(read);
        for (Asked& each : asked_) {
            bool again = false;
            if (!each.take(answer.get(), server_, again)) continue;
            return !again || each.send(socket_.get());
        }
        return true;
    }

    const ServerAddress& server_;
    std::vector<Asked>& asked_;
    const hal::UniqueFd socket_;
};

}  // namespace

std::vector<Lookup> NameLookup::ask(const std::vector<Question>& questions,
                                    std::chrono::milliseconds limit) const {
    std::vector<Lookup> results(questions.size());
    try {
        std::vector<Asked> asked;
        for (const Question& question : questions) asked.emplace_back(question);
        const ServerAddress server = serverAddress(resolver_);
        Asking(server, asked).run(limit);
        std::ranges::transform(asked, results.begin(), &Asked::result);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::internal) throw;
    }
    return results;
}

bool hasRouteTo(const DnsServer& server) {
    return static_cast<bool>(connectedTo(serverAddress(server)));
}

std::vector<std::string> interfaceAddresses() {
    ifaddrs* found = nullptr;
    if (::getifaddrs(&found) != 0) hal::throwErrno(errno, "getifaddrs");
    const std::unique_ptr<ifaddrs, hal::Deleter<::freeifaddrs>> kept(found);
    std::vector<std::string> addresses;
    for (const ifaddrs* each = found; each; each = each->ifa_next) {
        if (!each->ifa_addr) continue;
        const int family = each->ifa_addr->sa_family;
        const void* bytes = nullptr;
        if (family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr;
        if (family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr;
        std::array<char, INET6_ADDRSTRLEN> text{};
        if (bytes && ::inet_ntop(family, bytes, text.data(), text.size()))
            addresses.emplace_back(text.data());
    }
    return addresses;
}

}  // namespace certmgr::net
