#include "certmgr/net/local_tls.h"

#include "certmgr/crypto/tls_handshake.h"
#include "certmgr/net/local_connection.h"

namespace certmgr::net {
namespace {

constexpr std::size_t block = 4096;

// Empty: it went through.
std::string shakeHands(crypto::TlsHandshake& handshake, LocalConnection& connection) {
    for (;;) {
        const auto state = handshake.advance();
        const bool sent = connection.send(handshake.output());
        if (state == crypto::TlsHandshake::State::complete) return "";
        if (state == crypto::TlsHandshake::State::failed) return handshake.problem();
        const std::string received = sent ? connection.receive(block) : "";
        if (received.empty()) return "no answer in TLS";
        handshake.input(received);
    }
}

}  // namespace

LocalTlsAnswer askTlsLocally(const std::string& address, std::uint16_t port, const std::string& serverName,
                             const std::string& protocol, std::chrono::milliseconds limit) {
    const hal::SslContext context = crypto::lookingContext();
    crypto::TlsHandshake handshake(*context, serverName);
    handshake.offer(protocol);
    LocalConnection connection(address, port, limit);
    LocalTlsAnswer answer;
    answer.refused = connection.refused();
    answer.listening = connection.made();
    if (!answer.listening) return answer;
    answer.problem = shakeHands(handshake, connection);
    answer.protocol = handshake.agreedProtocol();
    const auto chain = handshake.chain();
    if (!chain.empty()) answer.leaf.reset(X509_dup(chain.front()));
    return answer;
}

}  // namespace certmgr::net
