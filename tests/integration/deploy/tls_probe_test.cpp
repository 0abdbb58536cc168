#include "certmgr/deploy/tls_probe.h"

#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/integration/deploy/listener.h"
#include "tests/support/child_process.h"
#include "tests/support/test_issuer.h"

namespace certmgr::deploy {
namespace {

using testing_support::Listener;

const Identifier gateway{Identifier::Type::dns, "gw.example"};

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
        char begin = 0;  // of its ClientHello: by then it knows that it is connected
        EXPECT_EQ(::recv(connection.get(), &begin, 1, 0), 1);
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
