// Waiting for a server without being deaf to a stop.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "certmgr/net/http_client.h"

namespace certmgr::acme {

[[noreturn]] void throwCancelled();

// Throws Error("cancelled") as soon as a stop is requested.
void pause(std::chrono::milliseconds duration, const std::stop_token& stop);

// The waits between polls: as the server asks by Retry-After (RFC 8555 7.5.1, 8.2), else doubling, and begun
// with the time that the server needs for an answer. A server that asks for more than an hour at once is
// taken at its word: rateLimited with retryAt, so that no thread is held; one that has not come to an end
// after an hour: transient, "ca-too-slow".
class Polling {
  public:
    explicit Polling(std::string waitingFor, std::stop_token stop);
    // Of several between two waits the longest Retry-After counts.
    void saw(const net::HttpResponse& response);
    void wait();

  private:
    using Clock = std::chrono::steady_clock;
    const std::string waitingFor_;
    const std::stop_token stop_;
    const Clock::time_point begin_ = Clock::now();
    std::chrono::milliseconds quick_;
    std::optional<std::chrono::seconds> asked_;
};

}  // namespace certmgr::acme
