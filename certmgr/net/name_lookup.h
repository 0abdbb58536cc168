// What DNS tells a CA of a name: its addresses, its CAA and its TXT records, asked of a resolver or of a
// server of the zone.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "certmgr/core/caa.h"
#include "certmgr/net/dns_client.h"

namespace certmgr::net {

enum class LookupOutcome {
    answered,     // with records, or with none: the name or the type is not there
    failed,       // SERVFAIL, or a circle of aliases: what keeps the resolver from an answer keeps a CA too
    unreachable,  // nothing that says anything of the name: no answer, or a refusal
};

struct Lookup {
    LookupOutcome outcome = LookupOutcome::unreachable;
    std::vector<std::string> values;  // A, AAAA: addresses; TXT: texts, the strings of each joined
    std::vector<CaaRecord> caa;
};

// Thread-safe: it holds nothing but the address. Aliases (CNAME) are followed.
class NameLookup {
  public:
    // Without an address: the first of /etc/resolv.conf.
    explicit NameLookup(DnsServer resolver) : resolver_(std::move(resolver)) {}

    struct Question {
        enum class Type { a, aaaa, caa, txt } type;
        std::string name;
    };
    // One for each question, in their order; all are asked at once, and what has no answer at the end of
    // `limit` is unreachable. A resolver that refuses is found out at once. Throws nothing but
    // Error(internal).
    std::vector<Lookup> ask(const std::vector<Question>& questions, std::chrono::milliseconds limit) const;

  private:
    const DnsServer resolver_;
};

// False for a server of IPv6 on a machine without it, for one. Nothing is sent.
bool hasRouteTo(const DnsServer& server);

// Of this machine's interfaces, as inet_ntop(3) writes them.
std::vector<std::string> interfaceAddresses();

}  // namespace certmgr::net
