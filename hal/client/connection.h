// One caller's line to keyd, shared by keyd's client library and by the OpenSSL provider inside services.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "hal/client/wire.h"

namespace hal {

// Keeps idle connections and makes new ones as threads need them. A child made by fork() never uses its parent's. When keyd
// was restarted, a call is sent again on a new connection; while its socket is absent or refuses, tries go on until `patience`
// has passed. (All operations may be repeated: make and import are, by their id, recognised by the caller as "key-exists".)
//
// Threads: any. Blocks at most `patience` to connect and `timeout` for the answer.
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
    struct Pool;
    std::string socketPath_;
    std::chrono::milliseconds patience_;
    std::chrono::milliseconds timeout_;
    Pool* pool_;  // not freed in a forked child whose parent's threads held it
};

}  // namespace hal
