// Who answers on a port of this box, asked as a CA asks for a challenge (RFC 8555 8.3).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace certmgr::net {

struct LocalAnswer {
    bool listening = false;
    bool refused = false;  // nobody does, for certain
    int status = 0;        // 0: what listens does not answer in HTTP, or not in time
    std::string server;    // "nginx/1.22.1", as it calls itself; empty: it does not
    std::string location;  // where it leads; empty: nowhere
    std::string body;      // the first 4 KiB of the answer at most
};

// One GET by HTTP/1.0; no redirect is followed. `address`: one of this box, as inet_pton(3) reads it. Throws
// nothing but Error(internal).
LocalAnswer askLocally(const std::string& address, std::uint16_t port, const std::string& host,
                       const std::string& path, std::chrono::milliseconds limit);

}  // namespace certmgr::net
