// The few lines that a client speaks before the TLS handshake.
#pragma once

#include "certmgr/deploy/connection.h"

namespace certmgr::deploy {

// Returns when the next byte of the client is that of its ClientHello. Throws Failure with the line that the
// service answered where it refuses.
void speakUpToHandshake(Connection& connection, const ProbeTarget& target);

}  // namespace certmgr::deploy
