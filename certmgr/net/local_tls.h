// Who answers on a port of this box, asked as a CA asks for a tls-alpn-01 challenge (RFC 8737 3).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "hal/handle.h"

namespace certmgr::net {

struct LocalTlsAnswer {
    bool listening = false;
    bool refused = false;  // nobody does, for certain
    std::string problem;   // why the handshake failed, in OpenSSL's words; empty: it did not
    std::string protocol;  // agreed on; empty: none
    hal::X509Ptr leaf;     // null: none was sent
};

// One handshake that offers one protocol. `address`: one of this box, as inet_pton(3) reads it. Throws
// nothing but Error(internal), and Error(rejected, "bad-server-name").
LocalTlsAnswer askTlsLocally(const std::string& address, std::uint16_t port, const std::string& serverName,
                             const std::string& protocol, std::chrono::milliseconds limit);

}  // namespace certmgr::net
