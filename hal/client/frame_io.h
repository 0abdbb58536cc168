// Whole frames over a connected stream socket, for both ends. No signals, no exceptions other than
// hal::Error.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace hal::wire {

using Deadline = std::chrono::steady_clock::time_point;

// Errors of both: (transient, "connection-lost") or (transient, "timed-out").
void sendFrame(int fd, std::string_view frame, Deadline deadline);

// The frame without its length. Empty when the peer closed before its first octet. Throws (rejected,
// "bad-message") for a length of 0 or beyond maxFrame; nothing that long is ever allocated.
std::optional<std::string> receiveFrame(int fd, Deadline deadline);

}  // namespace hal::wire
