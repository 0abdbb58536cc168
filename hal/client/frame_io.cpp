#include "hal/client/frame_io.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>

#include "hal/client/wire.h"
#include "hal/error.h"

namespace hal::wire {
namespace {

Error connectionLost(int errnum) {
    const std::string cause = errnum ? std::generic_category().message(errnum) : "the peer closed it";
    return Error(ErrorKind::transient, "connection-lost", "the connection was lost: " + cause);
}

void awaitReady(int fd, short events, Deadline deadline) {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        if (left <= 0) throw Error(ErrorKind::transient, "timed-out", "the peer did not answer in time");
        pollfd entry{fd, events, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
        if (ready > 0) return;
        if (ready < 0 && errno != EINTR) throw connectionLost(errno);
    }
}

// Reads `size` octets; false when the peer closed before the first.
bool receiveExactly(int fd, char* buffer, std::size_t size, Deadline deadline) {
    for (std::size_t got = 0; got < size;) {
        const ssize_t count = ::recv(fd, buffer + got, size - got, MSG_DONTWAIT);
        if (count > 0) {
            got += static_cast<std::size_t>(count);
        } else if (count == 0) {
            if (got == 0) return false;
            throw connectionLost(0);
        } else if (errno == EAGAIN) {
            awaitReady(fd, POLLIN, deadline);
        } else if (errno != EINTR) {
            throw connectionLost(errno);
        }
    }
    return true;
}

}  // namespace

void sendFrame(int fd, std::string_view frame, Deadline deadline) {
    while (!frame.empty()) {
        const ssize_t count = ::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) {
            frame.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            awaitReady(fd, POLLOUT, deadline);
        } else if (errno != EINTR) {
            throw connectionLost(errno);
        }
    }
}

std::optional<std::string> receiveFrame(int fd, Deadline deadline) {
    std::array<char, 4> header;
    if (!receiveExactly(fd, header.data(), header.size(), deadline)) return std::nullopt;
    const std::size_t length = lengthAt({header.data(), header.size()});
    if (length == 0 || length > maxFrame)
        throw Error(
            ErrorKind::rejected, "bad-message",
            "a frame of " + std::to_string(length) + " bytes, expected 1 to " + std::to_string(maxFrame));
    std::string frame(length, '\0');
    if (!receiveExactly(fd, frame.data(), length, deadline)) throw connectionLost(0);
    return frame;
}

}  // namespace hal::wire
