// A client that is never satisfied: new connections without end, and one long session beside them.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace testing_support {

class HttpsHammer {
  public:
    HttpsHammer(std::uint16_t port, std::string serverName);

    struct Result {
        int connections = 0;
        int longSessions = 0;  // sessions that the server ended between two answers, and the last one
        int requestsOnLongSessions = 0;
        std::set<std::string> leaves;  // SHA-256 in lower-case hex
        std::vector<std::string> failures;
    };
    bool hasSeen(const std::string& leaf) const;
    Result stop();

  private:
    void connectAgainAndAgain(const std::stop_token& stop);
    void keepOneSession(const std::stop_token& stop);
    template <class Action>
    void record(const Action& action);

    std::uint16_t port_;
    std::string serverName_;
    mutable std::mutex mutex_;
    Result result_;
    std::jthread short_;
    std::jthread long_;
};

}  // namespace testing_support
