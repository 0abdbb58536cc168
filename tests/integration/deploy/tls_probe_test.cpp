#include "certmgr/deploy/tls_probe.h"

#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "hal/handle.h"
#include "tests/support/child_process.h"
#include "tests/support/test_issuer.h"

namespace certmgr::deploy {
namespace {

const Identifier gateway{Identifier::Type::dns, "gw.example"};

// Listens, and does with the first connection what the test says.
class Listener {
  public:
    explicit Listener(int family) : socket_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_storage address{};
        address.ss_family = static_cast<sa_family_t>(family);
        if (family == AF_INET)
            reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        else
            reinterpret_cast<sockaddr_in6&>(address).sin6_addr = in6addr_loopback;
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(socket_.get(), 4), 0);
        EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);  // at the same place in sockaddr_in6
    }
    std::uint16_t port() const { return port_; }
    hal::UniqueFd accept() const {
        return hal::UniqueFd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }

  private:
    hal::UniqueFd socket_;
    std::uint16_t port_ = 0;
};

Seen look(const std::string& address, std::uint16_t port,
          std::chrono::milliseconds limit = std::chrono::seconds(20), const std::stop_token& stop = {}) {
    return TlsProbe().look({ProbeKind::https, address, port, limit}, gateway, stop);
}

TEST(TlsProbe, NobodyListens) {
    const Seen seen = look("127.0.0.1", testing_support::freePort());
    EXPECT_FALSE(seen.connected);
    EXPECT_EQ(seen.problem, "Connection refused");
}

TEST(TlsProbe, AServiceThatSaysNothingIsGivenUpAtTheDeadline) {
    for (const auto& [family, address] : {std::pair{AF_INET, "127.0.0.1"}, {AF_INET6, "::1"}}) {
        const Listener listener(family);
        const Seen seen = look(address, listener.port(), std::chrono::milliseconds(100));
        EXPECT_TRUE(seen.connected);
        EXPECT_EQ(seen.problem, "no answer within 100 ms");
    }
}

TEST(TlsProbe, AStopEndsTheWaitForAServiceThatSaysNothing) {
    const Listener listener(AF_INET);
    std::stop_source stop;
    hal::UniqueFd connection;
    const std::jthread stopper([&] {
        connection = listener.accept();
        stop.request_stop();
    });
    const Seen seen = look("127.0.0.1", listener.port(), std::chrono::hours(1), stop.get_token());
    EXPECT_TRUE(seen.connected);
    EXPECT_EQ(seen.problem, "no answer before certmgrd was stopped");
}

TEST(TlsProbe, AServiceThatHangsUp) {
    const Listener listener(AF_INET);
    const std::jthread service([&] { listener.accept(); });
    EXPECT_FALSE(look("127.0.0.1", listener.port()).problem.empty());
}

TEST(TlsProbe, AServiceThatSpeaksNoTls) {
    const Listener listener(AF_INET);
    const std::jthread service([&] {
        const hal::UniqueFd connection = listener.accept();
        const std::string banner = "220 mail.example ESMTP\r\n";
        EXPECT_GT(::send(connection.get(), banner.data(), banner.size(), MSG_NOSIGNAL), 0);
    });
    const Seen seen = look("127.0.0.1", listener.port());
    EXPECT_TRUE(seen.connected);
    EXPECT_EQ(seen.problem, "wrong version number");
}

TEST(TlsProbe, AnAddressThatIsNone) {
    EXPECT_NE(look("gw.example", 443).problem.find("no numeric IPv4 or IPv6 address"), std::string::npos);
}

}  // namespace
}  // namespace certmgr::deploy
