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
// with the time that the server needs for an answer. No thread is held beyond the patience: a server that
// asks for more at once is taken at its word, rateLimited with retryAt; one that has not come to an end by
// then: transient, "ca-too-slow".
class Polling {
  public:
    Polling(std::string waitingFor, std::chrono::seconds patience, std::stop_token stop);
    // Of several between two waits the longest Retry-After counts.
    void saw(const net::HttpResponse& response);
    void wait();

  private:
    using Clock = std::chrono::steady_clock;
    const std::string waitingFor_;
    const std::chrono::seconds patience_;
    const std::stop_token stop_;
    const Clock::time_point begin_ = Clock::now();
    std::chrono::milliseconds quick_;
    std::optional<std::chrono::seconds> asked_;
};

}  // namespace certmgr::acme
