// What a client of a service sees, and whether that is what was deployed.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/core/service_profile.h"

namespace certmgr::deploy {

struct Seen {
    bool connected = false;  // TCP came up
    std::string problem;     // why the handshake did not complete; empty: it did
    // Lower-case hex, leaf first, as sent; also of a handshake that failed later. Of an inspecting proxy: the
    // CA that signed its leaf first.
    std::vector<std::string> chainSha256;
    std::string where = {};  // for people, set by who knows: "https 127.0.0.1:443"
};

// Implementations: TlsProbe; the tests have a fake. Threads: any.
class Probe {
  public:
    virtual ~Probe() = default;
    // One handshake with `serverName` as SNI; without SNI for an address (RFC 6066 3 allows names only).
    // Bounded by target.timeout; ends soon after a stop is requested, with what was seen so far. Never throws
    // for what the service does wrong.
    virtual Seen look(const ProbeTarget& target, const Identifier& serverName,
                      const std::stop_token& stop) = 0;
};

// The name to ask for: the first that is no wildcard; a host below the wildcard where there are only those.
Identifier serverNameFor(const std::vector<Identifier>& names);

// Empty: the handshake completed, and showed the leaf wanted[0] with the whole rest of `wanted` behind it (in
// any order; a root in addition does no harm). Otherwise what was seen instead, as the end of a sentence.
std::string shortfall(const Seen& seen, const std::vector<std::string>& wanted);

}  // namespace certmgr::deploy
