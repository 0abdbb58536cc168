// Shakes hands with a CA that asks for acme-tls/1 (RFC 8737), and with nobody else.
#pragma once

#include <chrono>
#include <deque>
#include <vector>

#include <poll.h>

#include "certmgr/responder/challenge_directory.h"

namespace certmgr::responder {

// One thread; a stranger costs a connection of 64 for ten seconds at most, and the oldest one goes first.
class AlpnServer {
  public:
    // The directory must outlive the server. Its key is made here, and never leaves the process.
    AlpnServer(std::vector<hal::UniqueFd> listeners, const ChallengeDirectory& challenges);
    [[noreturn]] void run();

  private:
    using Clock = std::chrono::steady_clock;
    struct Connection {
        hal::UniqueFd socket;
        hal::SslPtr tls;
        Clock::time_point end;
        short events = POLLIN;
    };
    static int chooseCertificate(SSL* tls, void* server) noexcept;
    bool present(SSL& tls) const;
    void accept(int listener);
    void step();
    static bool goesOn(Connection& connection);

    const std::vector<hal::UniqueFd> listeners_;
    const ChallengeDirectory& challenges_;
    const hal::Pkey key_;
    const hal::SslContext context_;
    std::deque<Connection> connections_;
};

}  // namespace certmgr::responder
