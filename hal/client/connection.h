// One caller's line to keyd, shared by keyd's client library and by the OpenSSL provider inside services.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "hal/client/frame_io.h"
#include "hal/client/wire.h"
#include "hal/handle.h"

namespace hal {

// Keeps idle connections and makes new ones as threads need them. A child made by fork() never uses its
// parent's. When keyd was restarted, a call is sent again on a new connection; while its socket is absent or
// refuses, tries go on until `patience` has passed. (All operations may be repeated: make and import are, by
// their id, recognised by the caller as "key-exists".)
//
// Threads: any; no locks, so that a fork at any moment leaves a usable object in the child too. Blocks at
// most `patience` to connect and `timeout` for the answer.
class Connection {
  public:
    explicit Connection(std::string socketPath, std::chrono::milliseconds patience = std::chrono::seconds(2),
                        std::chrono::milliseconds timeout = std::chrono::seconds(30));
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // The fields of the reply. Throws the Error that keyd answered, or Error(transient, "keyd-unreachable").
    std::vector<std::string> call(wire::Operation operation, const std::vector<std::string>& fields);

    const std::string& socketPath() const noexcept { return socketPath_; }

  private:
    // An idle connection and the process that made it, in one word that is swapped as a whole. 0: none.
    using Slot = std::atomic<std::uint64_t>;

    UniqueFd takeIdle() noexcept;
    void keepIdle(UniqueFd fd) noexcept;
    UniqueFd connect(wire::Deadline giveUp) const;
    wire::Message exchange(std::string_view request);

    std::string socketPath_;
    std::chrono::milliseconds patience_;
    std::chrono::milliseconds timeout_;
    std::array<Slot, 32> idle_{};
};

}  // namespace hal
