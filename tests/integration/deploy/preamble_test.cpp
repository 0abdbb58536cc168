#include "certmgr/deploy/preamble.h"

#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/integration/deploy/listener.h"

namespace certmgr::deploy {
namespace {

using Lines = std::vector<std::string>;

// What the service says: its greeting, then an answer to each line that came. Returns what went wrong, or
// what the client said when it was about to begin TLS.
std::string speak(ProbeTarget target, const Lines& answers) {
    const testing_support::Listener listener(AF_INET);
    std::string heard;
    std::string problem;
    {
        const std::jthread service([&] {
            const hal::UniqueFd connection = listener.accept();
            for (const std::string& answer : answers) {
                if (!answer.empty()) ::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
                std::array<char, 512> block{};
                const ssize_t count = ::recv(connection.get(), block.data(), block.size(), 0);
                if (count > 0) heard.append(block.data(), static_cast<std::size_t>(count));
            }
        });
        target.port = listener.port();
        target.timeout = std::chrono::seconds(20);
        try {
            Connection connection(target, {});
            speakUpToHandshake(connection, target);
        } catch (const Failure& failure) {
            problem = failure.what();
        }
    }
    return problem.empty() ? heard : problem;
}

ProbeTarget probe(ProbeKind kind) {
    ProbeTarget target;
    target.kind = kind;
    return target;
}

TEST(Preamble, OfSmtpReadsRepliesOfManyLines) {
    EXPECT_EQ(speak(probe(ProbeKind::smtp),
                    {"220-mail.example\r\n220 ESMTP\r\n", "250-mail.example\r\n250-SIZE\r\n250 STARTTLS\r\n",
                     "220 go ahead\r\n"}),
              "EHLO certmgr-probe.invalid\r\nSTARTTLS\r\n");
}

TEST(Preamble, OfSmtpSaysWhatTheServiceRefused) {
    EXPECT_EQ(speak(probe(ProbeKind::smtp),
                    {"220 mail.example\r\n", "250 mail.example\r\n", "454 4.7.0 TLS not available\r\n"}),
              "the service answered \"454 4.7.0 TLS not available\", expected \"220\" to STARTTLS");
    EXPECT_EQ(speak(probe(ProbeKind::smtp), {"554 no service for you\r\n"}),
              "the service answered \"554 no service for you\", expected the greeting of an SMTP server");
}

TEST(Preamble, OfImapLooksPastUntaggedLines) {
    EXPECT_EQ(speak(probe(ProbeKind::imap), {"* OK ready\r\n", "* CAPABILITY IMAP4rev1\r\na OK begin\r\n"}),
              "a STARTTLS\r\n");
    EXPECT_EQ(speak(probe(ProbeKind::imap), {"* OK ready\r\n", "a BAD no TLS\r\n"}),
              "the service answered \"a BAD no TLS\", expected \"a OK\" to STARTTLS");
}

TEST(Preamble, OfPop3) {
    EXPECT_EQ(speak(probe(ProbeKind::pop3), {"+OK ready\r\n", "+OK begin\r\n"}), "STLS\r\n");
    EXPECT_EQ(speak(probe(ProbeKind::pop3), {"+OK ready\r\n", "-ERR\x1b[31m\r\n"}),
              "the service answered \"-ERR?[31m\", expected \"+OK\" to STLS");
}

TEST(Preamble, ThroughAProxyAsksForTheSite) {
    ProbeTarget target = probe(ProbeKind::httpsProxy);
    target.site = "www.example:443";
    EXPECT_EQ(speak(target, {"", "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"}),
              "CONNECT www.example:443 HTTP/1.1\r\nHost: www.example:443\r\n\r\n");
    EXPECT_NE(speak(target, {"", "HTTP/1.1 503 Service Unavailable\r\n\r\n"}).find("503"), std::string::npos);
}

TEST(Preamble, IsBounded) {
    EXPECT_EQ(speak(probe(ProbeKind::smtp), {std::string(64 * 1024, 'x')}),
              "the service sent a line without end before the handshake");
    std::string flood;
    for (int i = 0; i < 200; ++i) flood += "220-more\r\n";
    EXPECT_EQ(speak(probe(ProbeKind::smtp), {flood}), "the service sends more than 100 lines as one reply");
}

}  // namespace
}  // namespace certmgr::deploy
