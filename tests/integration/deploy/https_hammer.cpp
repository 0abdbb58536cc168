#include "tests/integration/deploy/https_hammer.h"

#include <array>
#include <stdexcept>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "certmgr/crypto/x509.h"
#include "hal/handle.h"

namespace testing_support {
namespace {

// Blocking, with OpenSSL's own sockets: as unlike TlsProbe as a client can be.
class Session {
  public:
    Session(SSL_CTX* context, std::uint16_t port, std::string& serverName)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), ssl_(SSL_new(context)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("connect");
        SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, serverName.data());
        SSL_set_fd(ssl_.get(), socket_.get());
        if (SSL_connect(ssl_.get()) != 1) throw std::runtime_error("handshake");
    }

    std::string leaf() const {
        const hal::X509Ptr certificate(SSL_get1_peer_certificate(ssl_.get()));
        return certmgr::crypto::sha256Hex(*certificate);
    }

    // False: the server closed the session instead of answering.
    bool get(const std::string& connection) {
        const std::string request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: " + connection + "\r\n\r\n";
        if (SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())) <= 0) return false;
        std::array<char, 4096> block;
        std::string answer;
        while (answer.find("\r\n\r\nok") == std::string::npos) {
            const int size = SSL_read(ssl_.get(), block.data(), static_cast<int>(block.size()));
            if (size <= 0 && answer.empty()) return false;
            if (size <= 0) throw std::runtime_error("the answer was cut off: " + answer);
            answer.append(block.data(), static_cast<std::size_t>(size));
        }
        lastAnswerCloses_ = answer.find("Connection: close") != std::string::npos;
        return true;
    }
    bool lastAnswerCloses() const { return lastAnswerCloses_; }

  private:
    hal::UniqueFd socket_;
    hal::SslPtr ssl_;
    bool lastAnswerCloses_ = false;
};

}  // namespace

HttpsHammer::HttpsHammer(std::uint16_t port, std::string serverName)
    : port_(port),
      serverName_(std::move(serverName)),
      short_([this](const std::stop_token& stop) { connectAgainAndAgain(stop); }),
      long_([this](const std::stop_token& stop) { keepOneSession(stop); }) {}

bool HttpsHammer::hasSeen(const std::string& leaf) const {
    const std::lock_guard lock(mutex_);
    return result_.leaves.contains(leaf);
}

HttpsHammer::Result HttpsHammer::stop() {
    short_.request_stop();
    long_.request_stop();
    short_.join();
    long_.join();
    return result_;
}

template <class Action>
void HttpsHammer::record(const Action& action) {
    const std::lock_guard lock(mutex_);
    action(result_);
}

void HttpsHammer::connectAgainAndAgain(const std::stop_token& stop) {
    const hal::SslContext context(SSL_CTX_new(TLS_client_method()));
    std::string name = serverName_;
    while (!stop.stop_requested()) {
        try {
            Session session(context.get(), port_, name);
            if (!session.get("close")) throw std::runtime_error("no answer");
            record([&](Result& result) { ++result.connections, result.leaves.insert(session.leaf()); });
        } catch (const std::exception& error) {
            record([&](Result& result) { result.failures.emplace_back(error.what()); });
        }
    }
}

// RFC 9112 9.6: a server may close an idle session at any time, and says so beforehand only where it can; a
// client then sends the request again on a new connection. What must not happen is an answer that is cut off.
void HttpsHammer::keepOneSession(const std::stop_token& stop) {
    const hal::SslContext context(SSL_CTX_new(TLS_client_method()));
    std::string name = serverName_;
    while (!stop.stop_requested()) {
        try {
            Session session(context.get(), port_, name);
            record([](Result& result) { ++result.longSessions; });
            while (!stop.stop_requested() && session.get("keep-alive")) {
                record([](Result& result) { ++result.requestsOnLongSessions; });
                if (session.lastAnswerCloses()) break;
            }
        } catch (const std::exception& error) {
            record([&](Result& result) {
                result.failures.push_back(std::string("long session: ") + error.what());
            });
        }
    }
}

}  // namespace testing_support
