// A handshake of our own, or a program that knows a protocol which we do not.
#pragma once

#include "certmgr/deploy/tls_probe.h"

namespace certmgr::daemon {

// A command finds CERTMGR_NAME, CERTMGR_ADDRESS and CERTMGR_PORT in its environment. Its exit status says
//   0  somebody answered; each line is the SHA-256 of a certificate as sent, in hexadecimal, leaf first
//   3  nobody answers (the status that the LSB has for a service that does not run); the first line says why
// and any other, that the first line is what went wrong.
class ProbeByKind : public deploy::Probe {
  public:
    deploy::Seen look(const ProbeTarget& target, const Identifier& serverName,
                      const std::stop_token& stop) override;

  private:
    deploy::TlsProbe handshake_;
};

}  // namespace certmgr::daemon
