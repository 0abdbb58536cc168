#include "certmgr/net/local_http.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "certmgr/core/ascii.h"
#include "hal/error.h"
#include "hal/handle.h"

namespace certmgr::net {
namespace {

using LocalClock = std::chrono::steady_clock;

constexpr std::size_t largestLocalAnswer = 4096;

bool readyFor(int socket, short events, LocalClock::time_point end) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - LocalClock::now());
        if (left.count() <= 0) return false;
        pollfd waiting{socket, events, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

// Empty: nobody listens, or it cannot be told; `failed`: why.
hal::UniqueFd connectedLocally(const std::string& address, std::uint16_t port, LocalClock::time_point end,
                               int& failed) {
    sockaddr_in6 ip6{};
    sockaddr_in ip4{};
    ip6.sin6_family = AF_INET6;
    ip4.sin_family = AF_INET;
    ip6.sin6_port = ip4.sin_port = htons(port);
    const bool is6 = ::inet_pton(AF_INET6, address.c_str(), &ip6.sin6_addr) == 1;
    if (!is6 && ::inet_pton(AF_INET, address.c_str(), &ip4.sin_addr) != 1) return {};
    const auto* const target =
        is6 ? reinterpret_cast<const sockaddr*>(&ip6) : reinterpret_cast<const sockaddr*>(&ip4);
    const auto length = static_cast<socklen_t>(is6 ? sizeof ip6 : sizeof ip4);
    hal::UniqueFd fd(::socket(is6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
        if (errno == EAFNOSUPPORT) return {};
        hal::throwErrno(errno, "socket");
    }
    if (::connect(fd.get(), target, length) == 0) return fd;
    failed = errno;
    if (failed != EINPROGRESS || !readyFor(fd.get(), POLLOUT, end)) return {};
    socklen_t size = sizeof failed;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failed, &size) != 0 || failed != 0) return {};
    return fd;
}

std::string received(int socket, LocalClock::time_point end) {
    std::string answer;
    std::array<char, largestLocalAnswer> buffer{};
    while (answer.size() < largestLocalAnswer && readyFor(socket, POLLIN, end)) {
        const ssize_t size = ::recv(socket, buffer.data(), largestLocalAnswer - answer.size(), 0);
        if (size <= 0) break;
        answer.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return answer;
}

// "Server: nginx\r\n" -> "nginx"; empty: there is none.
std::string headerIn(std::string_view head, std::string_view lowerCaseName) {
    for (std::size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n')) {
        head.remove_prefix(at + 1);
        std::string_view line = head.substr(0, head.find('\n'));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || lowered(std::string(line.substr(0, colon))) != lowerCaseName)
            continue;
        line.remove_prefix(colon + 1);
        const std::size_t first = line.find_first_not_of(" \t");
        if (first == std::string_view::npos) return {};
        return std::string(line.substr(first, line.find_last_not_of(" \t\r") + 1 - first));
    }
    return {};
}

int statusIn(std::string_view head) {
    const std::size_t space = head.find(' ');
    if (!head.starts_with("HTTP/1.") || space == std::string_view::npos || head.size() < space + 4) return 0;
    int status = 0;
    std::from_chars(head.data() + space + 1, head.data() + space + 4, status);
    return status;
}

}  // namespace

LocalAnswer askLocally(const std::string& address, std::uint16_t port, const std::string& host,
                       const std::string& path, std::chrono::milliseconds limit) {
    const LocalClock::time_point end = LocalClock::now() + limit;
    int failed = 0;
    const hal::UniqueFd socket = connectedLocally(address, port, end, failed);
    LocalAnswer answer;
    answer.refused = failed == ECONNREFUSED;
    if (!socket) return answer;
    answer.listening = true;
    const std::string request = "GET " + path + " HTTP/1.0\r\nHost: " + host + "\r\nUser-Agent: certmgr/" +
                                CERTMGR_VERSION + "\r\nConnection: close\r\n\r\n";
    // So short a request fits into the buffer of a new connection.
    if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        return answer;
    const std::string text = received(socket.get(), end);
    const std::size_t blank = text.find("\r\n\r\n");
    const std::string_view head(text.data(), blank == std::string::npos ? text.size() : blank);
    answer.status = statusIn(head);
    answer.server = headerIn(head, "server");
    answer.location = headerIn(head, "location");
    if (blank != std::string::npos) answer.body = text.substr(blank + 4);
    return answer;
}

}  // namespace certmgr::net
