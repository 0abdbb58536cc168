// One TCP connection of a probe, which ends at its deadline whatever the other side does.
#pragma once

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>

#include "certmgr/core/service_profile.h"
#include "hal/handle.h"

namespace certmgr::deploy {

// What the service does wrong; becomes Seen::problem.
class Failure : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Every method throws Failure, also when target.timeout has passed since the construction, or a stop was
// asked for.
class Connection {
  public:
    Connection(const ProbeTarget& target, std::stop_token stop);

    void send(std::string_view bytes);
    std::string receive();      // at least one byte
    std::string receiveLine();  // without its CRLF; what came behind it waits for the next call

  private:
    void await(short events);

    std::chrono::milliseconds limit_;
    std::chrono::steady_clock::time_point deadline_;
    std::stop_token stop_;
    hal::UniqueFd socket_;
    std::string waiting_;  // received behind the last line
};

}  // namespace certmgr::deploy
