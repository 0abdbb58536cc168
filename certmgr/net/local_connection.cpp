#include "certmgr/net/local_connection.h"

#include <cerrno>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "hal/error.h"

namespace certmgr::net {

LocalConnection::LocalConnection(const std::string& address, std::uint16_t port,
                                 std::chrono::milliseconds limit)
    : end_(Clock::now() + limit) {
    sockaddr_in6 ip6{};
    sockaddr_in ip4{};
    ip6.sin6_family = AF_INET6;
    ip4.sin_family = AF_INET;
    ip6.sin6_port = ip4.sin_port = htons(port);
    const bool is6 = ::inet_pton(AF_INET6, address.c_str(), &ip6.sin6_addr) == 1;
    if (!is6 && ::inet_pton(AF_INET, address.c_str(), &ip4.sin_addr) != 1) return;
    const auto* const target =
        is6 ? reinterpret_cast<const sockaddr*>(&ip6) : reinterpret_cast<const sockaddr*>(&ip4);
    const auto length = static_cast<socklen_t>(is6 ? sizeof ip6 : sizeof ip4);
    socket_ =
        hal::UniqueFd(::socket(is6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_) {
        if (errno == EAFNOSUPPORT) return;
        hal::throwErrno(errno, "socket");
    }
    if (::connect(socket_.get(), target, length) == 0) return;
    int failed = errno;
    socklen_t size = sizeof failed;
    const bool answered = failed == EINPROGRESS && readyFor(POLLOUT) &&
                          ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &failed, &size) == 0;
    if (answered && failed == 0) return;
    refused_ = failed == ECONNREFUSED;
    socket_ = {};
}

bool LocalConnection::readyFor(short events) const {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
        if (left.count() <= 0) return false;
        pollfd waiting{socket_.get(), events, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

bool LocalConnection::send(std::string_view bytes) {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
}

std::string LocalConnection::receive(std::size_t most) {
    std::string bytes(most, '\0');
    const ssize_t size = readyFor(POLLIN) ? ::recv(socket_.get(), bytes.data(), most, 0) : 0;
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
}

}  // namespace certmgr::net
