#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "certmgr/crypto/digest.h"
#include "hal/handle.h"
#include "tests/support/tls_responder_process.h"

namespace {

namespace fs = std::filesystem;
using certmgr::acme::Proof;
using testing_support::freePort;
using testing_support::run;
using testing_support::RunResult;
using testing_support::writeFile;

class TlsResponder : public testing::Test {
  protected:
    // A handshake by a client that is not ours, and the certificate in words.
    std::string ask(const std::string& serverName, const std::string& protocol = "acme-tls/1") const {
        const std::string client = "openssl s_client -connect 127.0.0.1:" + std::to_string(port_) +
                                   (protocol.empty() ? "" : " -alpn " + protocol) +
                                   (serverName.empty() ? " -noservername" : " -servername " + serverName);
        return run({"/bin/sh", "-c",
                    "seen=$(" + client + " </dev/null 2>&1); echo \"$seen\"; " +
                        "echo \"$seen\" | openssl x509 -noout -text"})
            .output;
    }
    static bool isRefused(const std::string& answer) { return answer.find("X509v3") == std::string::npos; }
    static Proof proofOf(const std::string& name) {
        return {certmgr::parseIdentifier(name), "token", "token.thumbprint"};
    }
    hal::UniqueFd connect() const {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port_);
        hal::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        return fd;
    }

    const std::uint16_t port_ = freePort();
    testing_support::TlsResponderProcess responder_{CERTMGR_TLS_RESPONDER, port_};
};

// RFC 8737 3
TEST_F(TlsResponder, ShowsWhatTheRfcAsksFor) {
    const Proof proof = proofOf("gw.example");
    responder_.solver().present(proof);
    const std::string answer = ask("gw.example");
    EXPECT_NE(answer.find("ALPN protocol: acme-tls/1"), std::string::npos) << answer;
    EXPECT_NE(answer.find("DNS:gw.example\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("1.3.6.1.5.5.7.1.31: critical"), std::string::npos) << answer;
    EXPECT_EQ(ask("GW.example").find("DNS:gw.example") == std::string::npos, false) << "in any case";
    responder_.solver().remove(proof);
    EXPECT_TRUE(isRefused(ask("gw.example")));
}

// RFC 8738 6
TEST_F(TlsResponder, KnowsAddressesByTheirNamesInDns) {
    for (const auto& [address, name] :
         {std::pair("192.0.2.7", "7.2.0.192.in-addr.arpa"),
          {"2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"}}) {
        EXPECT_EQ(certmgr::acme::serverNameFor(certmgr::parseIdentifier(address)), name);
        responder_.solver().present(proofOf(address));
        EXPECT_FALSE(isRefused(ask(name))) << name;
    }
    EXPECT_NE(ask("7.2.0.192.in-addr.arpa").find("IP Address:192.0.2.7"), std::string::npos);
}

TEST_F(TlsResponder, AnswersNothingElse) {
    responder_.solver().present(proofOf("gw.example"));
    EXPECT_TRUE(isRefused(ask("gw.example", "http/1.1")));
    EXPECT_TRUE(isRefused(ask("gw.example", "")));
    EXPECT_TRUE(isRefused(ask("")));
    EXPECT_TRUE(isRefused(ask("www.gw.example")));
    for (const char* const content : {"", "DNS:gw.example", "DNS:a,DNS:b\n", "email:copy\n"}) {
        writeFile(responder_.directory() / "gw.example",
                  content + (std::string(content).ends_with('\n') ? std::string(64, 'a') : ""));
        EXPECT_TRUE(isRefused(ask("gw.example"))) << content;
    }
    EXPECT_FALSE(isRefused([&] {
        responder_.solver().present(proofOf("gw.example"));
        return ask("gw.example");
    }()));
}

TEST_F(TlsResponder, StrangersThatSayNothingHoldUpNobody) {
    responder_.solver().present(proofOf("gw.example"));
    std::vector<hal::UniqueFd> silent;
    for (int i = 0; i < 200; ++i) silent.push_back(connect());
    EXPECT_FALSE(isRefused(ask("gw.example")));
}

TEST_F(TlsResponder, RemovesOnlyWhatWasPresentedForIt) {
    const Proof proof = proofOf("gw.example");
    Proof other = proof;
    other.keyAuthorization = "other.thumbprint";
    responder_.solver().present(proof);
    responder_.solver().present(other);
    responder_.solver().remove(proof);
    EXPECT_FALSE(isRefused(ask("gw.example")));
    responder_.solver().remove(other);
    EXPECT_TRUE(fs::is_empty(responder_.directory()));
}

}  // namespace
