// Who is at the other end of a connection, and what they may do.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "hal/key_store.h"

namespace hal::keyd {

// As the kernel knew it when the connection was made (SO_PEERCRED, SO_PEERGROUPS).
struct Peer {
    pid_t pid = 0;
    uid_t uid = 0;
    std::vector<gid_t> groups;  // the primary one too
};

Peer peerOf(int fd);

// A name or a number; throws Error(misconfigured, "unknown-user").
uid_t userIdOf(const std::string& user);

// Whether the list names the peer's user, or one of its groups. Names that no user or group has yet do not
// match.
bool names(const AccessList& list, const Peer& peer);

}  // namespace hal::keyd
