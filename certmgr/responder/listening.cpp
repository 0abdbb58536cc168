#include "certmgr/responder/listening.h"

#include <cerrno>
#include <system_error>

#include <netdb.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "hal/error.h"

namespace certmgr::responder {
namespace {

using Addresses = hal::Handle<addrinfo, freeaddrinfo>;

[[noreturn]] void refuse(const std::string& endpoint, const std::string& reason) {
    throw hal::Error(hal::ErrorKind::misconfigured, "bad-listen", "--listen " + endpoint + ": " + reason);
}

Addresses addressesOf(const std::string& endpoint) {
    const std::size_t colon = endpoint.rfind(':');
    if (colon == std::string::npos) refuse(endpoint, "expected ADDRESS:PORT");
    std::string host = endpoint.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), endpoint.c_str() + colon + 1, &hints, &found) != 0)
        refuse(endpoint, "expected the number of an address and of a port, as in 127.0.0.1:80 or [::]:80");
    return Addresses(found);
}

hal::UniqueFd listenOn(const std::string& endpoint) {
    const Addresses address = addressesOf(endpoint);
    hal::UniqueFd fd(::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(fd.get(), address->ai_addr, address->ai_addrlen) != 0 || ::listen(fd.get(), SOMAXCONN) != 0)
        refuse(endpoint, std::generic_category().message(errno));
    return fd;
}

}  // namespace

std::vector<hal::UniqueFd> allSockets(const std::vector<std::string>& endpoints) {
    std::vector<hal::UniqueFd> all;
    const int inherited = ::sd_listen_fds(/*unset_environment=*/1);
    for (int i = 0; i < inherited; ++i) all.emplace_back(SD_LISTEN_FDS_START + i);
    for (const std::string& endpoint : endpoints) all.push_back(listenOn(endpoint));
    if (all.empty())
        throw hal::Error(hal::ErrorKind::misconfigured, "bad-listen",
                         "nothing to listen on: give --listen ADDRESS:PORT, or start it by a socket unit");
    return all;
}

}  // namespace certmgr::responder
