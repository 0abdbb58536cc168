// What is no message of the protocol, slow peers and too many of them: keyd refuses, and serves the others
// on.
#include <cstring>
#include <stdexcept>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "hal/client/keyd_client.h"
#include "hal/client/messages.h"
#include "tests/integration/keyd/fixture.h"
#include "tests/support/keyd_server.h"

namespace keyd_test {
namespace {

using hal::wire::Operation;
using testing_support::KeydServer;

hal::wire::Deadline soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(20);
}

hal::UniqueFd connectTo(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    hal::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("connect to keyd");
    return fd;
}

class Protocol : public testing::Test {
  protected:
    // The code of keyd's answer to raw octets; "closed" where it only closes.
    std::string codeFor(const std::string& octets) const {
        const hal::UniqueFd fd = connectTo(server_.socketPath());
        hal::wire::sendFrame(fd.get(), octets, soon());
        ::shutdown(fd.get(), SHUT_WR);
        const auto frame = hal::wire::receiveFrame(fd.get(), soon());
        if (!frame) return "closed";
        const hal::wire::Message reply = hal::wire::decode(*frame);
        return reply.tag == hal::wire::done ? "done" : reply.fields.at(1);
    }

    static std::string message(std::uint8_t tag, const std::vector<std::string>& fields) {
        return hal::wire::encode({tag, fields});
    }

    KeydServer server_;
    hal::KeydClient keys_{server_.socketPath()};
};

TEST_F(Protocol, WhatIsNoMessageIsRefused) {
    EXPECT_EQ(codeFor(std::string(4, '\0')), "bad-message");
    EXPECT_EQ(codeFor(std::string(4, '\xff')), "bad-message") << "a length of 4 GiB";
    EXPECT_EQ(codeFor("GET / HTTP/1.1\r\n\r\n"), "bad-message");
    EXPECT_EQ(codeFor(std::string("\0\0\0\5\3\xff\xff\xff\xff", 9)), "bad-message")
        << "a field beyond the frame";
    EXPECT_EQ(codeFor(std::string("\0\0\0\3\3\0\0", 7)), "bad-message") << "half a length";
    EXPECT_EQ(codeFor(std::string("\0\0\1\0\3", 5)), "closed") << "half a frame";
    EXPECT_EQ(codeFor(message(0, {})), "bad-message");
    EXPECT_EQ(codeFor(message(99, {})), "bad-message");
    for (std::uint8_t tag = 1; tag <= 7; ++tag)
        EXPECT_EQ(codeFor(message(tag, {"a", "b", "c"})), "bad-message");
    EXPECT_TRUE(server_.running());
    EXPECT_TRUE(keys_.list().empty());
}

TEST_F(Protocol, ValuesThatDoNotFitAreRefused) {
    const std::string id = hal::KeyId::fresh().text();
    const auto tag = static_cast<std::uint8_t>(Operation::make);
    EXPECT_EQ(codeFor(message(tag, {"../../etc/passwd", "ec-p256", "file", "", "", ""})), "bad-message");
    EXPECT_EQ(codeFor(message(tag, {id, "ec-p999", "file", "", "", ""})), "bad-message");
    EXPECT_EQ(codeFor(message(tag, {id, "ec-p256", "cloud", "", "", ""})), "bad-message");
    EXPECT_EQ(codeFor(message(tag, {id, "ec-p256", "file", std::string(256, 'x'), "", ""})), "bad-request");
    EXPECT_EQ(codeFor(message(tag, {id, "ec-p256", "file", "a\nb", "", ""})), "bad-request");
    EXPECT_EQ(codeFor(message(tag, {id, "ec-p256", "file", "", std::string(200, 'u'), ""})), "bad-request");
    EXPECT_FALSE(keys_.find(*hal::KeyId::parse(id)));
}

TEST_F(Protocol, RandomOctetsAreSurvived) {
    std::uint32_t state = 2463534242U;
    for (int round = 0; round < 300; ++round) {
        std::string body(static_cast<std::size_t>(1 + round % 64), '\0');
        for (char& octet : body) {
            state ^= state << 13, state ^= state >> 17, state ^= state << 5;
            octet = static_cast<char>(state);
        }
        const std::string length{0, 0, 0, static_cast<char>(body.size())};
        codeFor(length + body);
    }
    EXPECT_TRUE(server_.running());
    EXPECT_EQ(codeOf([&] { keys_.make(request()); }), "");
}

TEST_F(Protocol, SlowAndIdlePeersDoNotHoldUpOthers) {
    std::vector<hal::UniqueFd> slow;
    for (int i = 0; i < 100; ++i) {
        slow.push_back(connectTo(server_.socketPath()));
        hal::wire::sendFrame(slow.back().get(), std::string("\0\0", 2), soon());
    }
    const hal::KeyInfo info = keys_.make(request());
    EXPECT_TRUE(verifies(info.publicKey, sign(keys_, info.id)));
}

TEST_F(Protocol, MoreConnectionsThanItServesAreRefusedInWords) {
    const hal::KeyId id = keys_.make(request()).id;
    std::vector<hal::UniqueFd> idle;
    for (int i = 0; i < 256; ++i) idle.push_back(connectTo(server_.socketPath()));
    hal::KeydClient late(server_.socketPath());
    EXPECT_EQ(codeOf([&] { sign(late, id); }), "keyd-busy");
    idle.clear();
    testing_support::waitUntil("keyd serves again", [&] { return codeOf([&] { sign(late, id); }).empty(); });
}

TEST_F(Protocol, ACallOutlivesARestart) {
    const hal::KeyInfo info = keys_.make(request());
    server_.kill();
    server_.launch();
    EXPECT_TRUE(verifies(info.publicKey, sign(keys_, info.id)));
    server_.stop();
    EXPECT_EQ(codeOf([&] { sign(keys_, info.id); }), "keyd-unreachable");
}

TEST_F(Protocol, AProviderThatIsNotInstalledIsSaidEachTime) {
    hal::KeydClient client(server_.socketPath(), "/nonexistent/certmgr.so");
    const hal::KeyId id = client.make(request()).id;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(codeOf([&] { client.open(id); }), "provider-failed");
}

TEST_F(Protocol, TwoDaemonsDoNotShareADirectory) {
    const testing_support::RunResult second = testing_support::run(
        {"/proc/" + std::to_string(server_.pid()) + "/exe", "--socket", server_.socketPath() + "2",
         "--directory", server_.directory(), "--tcti", "none"});
    EXPECT_NE(second.status, 0);
    EXPECT_NE(second.output.find("in use by another certmgr-keyd"), std::string::npos) << second.output;
}

TEST_F(Protocol, ManyKeysAreListedInPages) {
    std::string longName(60, 'n');
    for (int i = 0; i < 200; ++i)
        keys_.make(request(hal::KeyPolicy::file, {std::vector<std::string>(32, longName), {}}));
    EXPECT_EQ(keys_.list().size(), 200U);
}

}  // namespace
}  // namespace keyd_test
