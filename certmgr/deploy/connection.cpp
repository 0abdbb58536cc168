#include "certmgr/deploy/connection.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

namespace certmgr::deploy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds stopNoticed{100};
constexpr std::size_t longestLine = 4096;  // RFC 9051 and RFC 5321 stay far below

std::string errnoText(int errnum) {
    return std::generic_category().message(errnum);
}

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

Address parseAddress(const std::string& text, std::uint16_t port) {
    Address address;
    auto& four = reinterpret_cast<sockaddr_in&>(address.storage);
    auto& six = reinterpret_cast<sockaddr_in6&>(address.storage);
    if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        address.size = sizeof four;
    } else if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        address.size = sizeof six;
    } else {
        throw Failure("the probe's address \"" + text +
                      "\" is no numeric IPv4 or IPv6 address; correct the profile");
    }
    return address;
}

}  // namespace

Connection::Connection(const ProbeTarget& target, std::stop_token stop)
    : limit_(target.timeout), deadline_(steady_clock::now() + target.timeout), stop_(std::move(stop)) {
    const Address address = parseAddress(target.address, target.port);
    socket_ =
        hal::UniqueFd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket_) throw Failure(errnoText(errno));
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0)
        return;
    if (errno != EINPROGRESS) throw Failure(errnoText(errno));
    await(POLLOUT);
    int problem = 0;
    socklen_t size = sizeof problem;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
    if (problem != 0) throw Failure(errnoText(problem));
}

void Connection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0)
            bytes.remove_prefix(static_cast<std::size_t>(count));
        else if (errno == EAGAIN)
            await(POLLOUT);
        else if (errno != EINTR)
            throw Failure(errnoText(errno));
    }
}

std::string Connection::receive() {
    if (!waiting_.empty()) return std::exchange(waiting_, {});
    std::string block(16 * 1024, '\0');
    for (;;) {
        const ssize_t count = ::recv(socket_.get(), block.data(), block.size(), 0);
        if (count > 0) return block.substr(0, static_cast<std::size_t>(count));
        if (count == 0) throw Failure("the service closed the connection before the handshake was complete");
        if (errno == EAGAIN)
            await(POLLIN);
        else if (errno != EINTR)
            throw Failure(errnoText(errno));
    }
}

std::string Connection::receiveLine() {
    std::string text = receive();
    std::size_t end = 0;
    while ((end = text.find('\n')) == std::string::npos) {
        if (text.size() > longestLine)
            throw Failure("the service sent a line without end before the handshake");
        text += receive();
    }
    waiting_ = text.substr(end + 1);
    text.erase(end);
    if (text.ends_with('\r')) text.pop_back();
    return text;
}

void Connection::await(short events) {
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now());
        if (left <= milliseconds(0)) throw Failure(fmt::format("no answer within {} ms", limit_.count()));
        if (stop_.stop_requested()) throw Failure("no answer before certmgrd was stopped");
        pollfd waiting{socket_.get(), events, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(std::min(left, stopNoticed).count()));
        if (ready > 0) return;
        if (ready < 0 && errno != EINTR) throw Failure(errnoText(errno));
    }
}

}  // namespace certmgr::deploy
