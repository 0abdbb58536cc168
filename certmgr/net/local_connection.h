// A TCP connection to a port of this box, which ends at its deadline whatever the other side does.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "hal/handle.h"

namespace certmgr::net {

// Of one thread. Throws nothing but Error(internal).
class LocalConnection {
  public:
    // `address`: one of this box, as inet_pton(3) reads it.
    LocalConnection(const std::string& address, std::uint16_t port, std::chrono::milliseconds limit);

    bool made() const { return static_cast<bool>(socket_); }
    bool refused() const { return refused_; }  // nobody listens, for certain

    // False: not all of it. For what fits into the buffer of a new connection.
    bool send(std::string_view bytes);
    std::string receive(std::size_t most);  // empty: nothing more comes, or not in time

  private:
    using Clock = std::chrono::steady_clock;
    bool readyFor(short events) const;

    Clock::time_point end_;
    hal::UniqueFd socket_;
    bool refused_ = false;
};

}  // namespace certmgr::net
