#pragma once

#include "certmgr/deploy/probe.h"
#include "hal/handle.h"

namespace certmgr::deploy {

// Speaks TLS to ProbeTarget::address, IPv4 or IPv6, as a new client each time: no session is resumed. It
// looks at what is sent and trusts nobody, so that a leaf of the box's own CA is seen like any other. Through
// a proxy it asks for the site, and what it has seen begins with the CA that signed the proxy's leaf.
class TlsProbe : public Probe {
  public:
    TlsProbe();
    Seen look(const ProbeTarget& target, const Identifier& serverName, const std::stop_token& stop) override;

  private:
    hal::SslContext context_;
};

}  // namespace certmgr::deploy
