// A client that makes full handshakes with a server on loopback.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hal/handle.h"

namespace provider_test {

inline constexpr std::array<int, 2> tlsVersions{TLS1_2_VERSION, TLS1_3_VERSION};

// Threads: any.
class TlsClient {
  public:
    explicit TlsClient(int tlsVersion);

    // Connects, shakes hands with `name` in SNI, and checks that the leaf is for that name and that a request
    // is answered. Empty: all went well; otherwise what went wrong.
    std::string visit(std::uint16_t port, const std::string& name) const;

    bool shakeHands(std::uint16_t port, const std::string& name) const;  // and no more

  private:
    struct Session {
        hal::UniqueFd fd;
        hal::SslPtr tls;  // null: no handshake
    };
    Session connect(std::uint16_t port, const std::string& name) const;

    hal::SslContext context_;
};

// Threads that visit all names with both TLS versions, over and over, until it is destroyed.
class TlsLoad {
  public:
    TlsLoad(std::uint16_t port, std::vector<std::string> names, int threads);

    // Returns when every name was visited `count` times more.
    void awaitMore(int count) const;
    int visits() const;
    std::vector<std::string> failures() const;

  private:
    void run(const std::stop_token& stop);

    std::uint16_t port_;
    std::vector<std::string> names_;
    std::map<std::string, std::atomic<int>> good_;
    mutable std::mutex mutex_;
    std::vector<std::string> failures_;
    std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace provider_test
