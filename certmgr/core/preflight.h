// What would make a CA refuse a name, told before it is asked. Pure: the facts come from the caller.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/identifier.h"

namespace certmgr {

enum class PreflightCheck {
    acme,       // whether a CA would be asked at all
    challenge,  // whether it can be proved, and by what
    address,    // whether its A and AAAA records lead here
    port,       // whether who answers there, on the port that a CA asks on, hands out what is laid for it
    caa,        // whether its CAA records allow the CA
};
std::string_view toString(PreflightCheck check) noexcept;

enum class PreflightVerdict {
    ok,
    blocked,    // the CA would refuse it: certain
    uncertain,  // not to be told from here
};
std::string_view toString(PreflightVerdict verdict) noexcept;

struct PreflightFinding {
    PreflightCheck check;
    PreflightVerdict verdict;
    std::string words;  // what was found, what was expected and, where it is blocked, what to do
    bool operator==(const PreflightFinding&) const = default;
};

// Where the box can be reached.
struct OwnAddresses {
    std::vector<std::string> interfaces;  // of its own interfaces
    std::vector<std::string> declared;    // by the settings: of the NAT or the proxy before it
};

// An address that a CA would turn to, and whether it is the box's.
struct JudgedAddress {
    std::string address;
    bool interface = false;  // one of its own interfaces
    bool ours = false;       // that, or declared
};
std::vector<JudgedAddress> judged(const std::vector<std::string>& addresses, const OwnAddresses& own);

// `found`: of the A and AAAA records of the name, or the name itself where it is an address. `publicOnly`:
// the CA is out on the net, and private addresses lead it nowhere. What leads elsewhere is certain only where
// the addresses are declared: a NAT, a load balancer or a CDN may bring from anywhere to this box.
PreflightFinding judgeAddresses(const Identifier& name, const std::vector<JudgedAddress>& found,
                                const OwnAddresses& own, bool publicOnly);

// What answered on the port of a challenge, at an address of this box.
struct PortAnswer {
    enum class Who { us, nobody, other };
    std::string address;
    Who who = Who::nobody;
    std::string words;     // of another: "nginx/1.22.1 answers 404"
    bool certain = false;  // a CA that came to this address would meet the same
};

// A CA takes any of the addresses, and IPv6 first; where nobody listens there it goes on to IPv4. So it is
// blocked where all are wrong, or another answers at one of IPv6.
PreflightFinding judgePort(const Identifier& name, std::uint16_t port,
                           const std::vector<PortAnswer>& answers);

}  // namespace certmgr
