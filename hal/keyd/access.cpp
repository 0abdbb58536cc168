#include "hal/keyd/access.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>

#include "hal/error.h"

namespace hal::keyd {
namespace {

// getpwnam_r and getgrnam_r say ERANGE until the buffer is large enough.
template <class Entry, class Lookup>
std::optional<Entry> lookUp(Lookup lookup, const std::string& name) {
    Entry entry{};
    for (std::vector<char> buffer(1024); buffer.size() <= 1024 * 1024; buffer.resize(buffer.size() * 4)) {
        Entry* found = nullptr;
        const int result = lookup(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
        if (result == ERANGE) continue;
        return found ? std::optional(entry) : std::nullopt;
    }
    return std::nullopt;
}

// Only the numbers of an entry are used after its buffer is gone.
std::optional<uid_t> userNamed(const std::string& name) {
    const auto entry = lookUp<passwd>(::getpwnam_r, name);
    return entry ? std::optional(entry->pw_uid) : std::nullopt;
}

std::optional<gid_t> groupNamed(const std::string& name) {
    const auto entry = lookUp<group>(::getgrnam_r, name);
    return entry ? std::optional(entry->gr_gid) : std::nullopt;
}

std::vector<gid_t> supplementaryGroups(int fd) {
    std::vector<gid_t> groups(32);
    for (;;) {
        socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
        const int result = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
        if (result != 0 && errno != ERANGE) throwErrno(errno, "SO_PEERGROUPS");
        groups.resize(size / sizeof(gid_t));
        if (result == 0) return groups;
    }
}

}  // namespace

Peer peerOf(int fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) throwErrno(errno, "SO_PEERCRED");
    Peer peer{credentials.pid, credentials.uid, supplementaryGroups(fd)};
    peer.groups.push_back(credentials.gid);
    return peer;
}

uid_t userIdOf(const std::string& user) {
    if (const auto uid = userNamed(user)) return *uid;
    uid_t number = 0;
    const auto [end, error] = std::from_chars(user.data(), user.data() + user.size(), number);
    if (error == std::errc() && end == user.data() + user.size()) return number;
    throw Error(ErrorKind::misconfigured, "unknown-user",
                "there is no user \"" + user + "\": make it, or name another with --manager or --installer");
}

bool names(const AccessList& list, const Peer& peer) {
    const auto isUser = [&](const std::string& name) { return userNamed(name) == peer.uid; };
    const auto isGroup = [&](const std::string& name) {
        const std::optional<gid_t> gid = groupNamed(name);
        return gid && std::find(peer.groups.begin(), peer.groups.end(), *gid) != peer.groups.end();
    };
    return std::any_of(list.users.begin(), list.users.end(), isUser) ||
           std::any_of(list.groups.begin(), list.groups.end(), isGroup);
}

}  // namespace hal::keyd
