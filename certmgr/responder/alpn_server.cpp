#include "certmgr/responder/alpn_server.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "certmgr/responder/alpn_certificate.h"
#include "hal/error.h"

namespace certmgr::responder {
namespace {

constexpr std::size_t mostConnections = 64;
constexpr std::chrono::seconds longestHandshake{10};
constexpr std::array<unsigned char, 11> acmeTls{10, 'a', 'c', 'm', 'e', '-', 't', 'l', 's', '/', '1'};

int requireAlpn(SSL* tls, int* alert, void*) noexcept {
    const unsigned char* extension = nullptr;
    std::size_t size = 0;
    if (SSL_client_hello_get0_ext(tls, TLSEXT_TYPE_application_layer_protocol_negotiation, &extension,
                                  &size) == 1)
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return SSL_CLIENT_HELLO_ERROR;
}

int selectAcmeTls(SSL*, const unsigned char** chosen, unsigned char* chosenSize, const unsigned char* offered,
                  unsigned int offeredSize, void*) noexcept {
    unsigned char* protocol = nullptr;
    const int found =
        SSL_select_next_proto(&protocol, chosenSize, acmeTls.data(), acmeTls.size(), offered, offeredSize);
    *chosen = protocol;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

hal::SslContext makeContext() {
    hal::SslContext context(SSL_CTX_new(TLS_server_method()));
    if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_num_tickets(context.get(), 0) != 1)
        throw hal::Error(hal::ErrorKind::internal, "tls-failed", "OpenSSL cannot make a TLS server");
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_client_hello_cb(context.get(), requireAlpn, nullptr);
    SSL_CTX_set_alpn_select_cb(context.get(), selectAcmeTls, nullptr);
    return context;
}

}  // namespace

AlpnServer::AlpnServer(std::vector<hal::UniqueFd> listeners, const ChallengeDirectory& challenges)
    : listeners_(std::move(listeners)),
      challenges_(challenges),
      key_(EVP_EC_gen("P-256")),
      context_(makeContext()) {
    if (!key_) throw hal::Error(hal::ErrorKind::internal, "tls-failed", "OpenSSL cannot make a key");
    // A connection may be gone again before it is accepted.
    for (const hal::UniqueFd& listener : listeners_)
        if (::fcntl(listener.get(), F_SETFL, O_NONBLOCK) != 0)
            hal::throwErrno(errno, "a socket to listen on");
    SSL_CTX_set_cert_cb(context_.get(), chooseCertificate, this);
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that strangers close
}

int AlpnServer::chooseCertificate(SSL* tls, void* server) noexcept {
    try {
        return static_cast<const AlpnServer*>(server)->present(*tls) ? 1 : 0;
    } catch (const std::exception&) {  // no memory: this connection ends
        return 0;
    }
}

bool AlpnServer::present(SSL& tls) const {
    const char* const name = SSL_get_servername(&tls, TLSEXT_NAMETYPE_host_name);
    const auto content = name ? challenges_.findForServerName(name) : std::nullopt;
    const auto answer = content ? parseAlpnAnswer(*content) : std::nullopt;
    const hal::X509Ptr certificate = answer ? alpnCertificate(*answer, *key_) : nullptr;
    return certificate && SSL_use_certificate(&tls, certificate.get()) == 1 &&
           SSL_use_PrivateKey(&tls, key_.get()) == 1;
}

void AlpnServer::run() {
    for (;;) {
        std::vector<pollfd> watched;
        for (const hal::UniqueFd& listener : listeners_) watched.push_back({listener.get(), POLLIN, 0});
        for (const Connection& each : connections_) watched.push_back({each.socket.get(), each.events, 0});
        const int wait = connections_.empty() ? -1 : 1000;
        if (::poll(watched.data(), watched.size(), wait) < 0 && errno != EINTR)
            hal::throwErrno(errno, "wait for connections");
        step();
        for (std::size_t i = 0; i < listeners_.size(); ++i)
            if (watched[i].revents != 0) accept(listeners_[i].get());
    }
}

void AlpnServer::accept(int listener) {
    hal::UniqueFd socket(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    hal::SslPtr tls(SSL_new(context_.get()));
    if (!socket || !tls || SSL_set_fd(tls.get(), socket.get()) != 1) return;
    SSL_set_accept_state(tls.get());
    if (connections_.size() == mostConnections) connections_.pop_front();
    connections_.push_back({std::move(socket), std::move(tls), Clock::now() + longestHandshake});
}

void AlpnServer::step() {
    std::erase_if(connections_, [](Connection& connection) { return !goesOn(connection); });
}

// RFC 8737 3: nothing is said after the handshake.
bool AlpnServer::goesOn(Connection& connection) {
    if (Clock::now() >= connection.end) return false;
    ERR_clear_error();
    const int result = SSL_accept(connection.tls.get());
    if (result == 1) {
        SSL_shutdown(connection.tls.get());
        return false;
    }
    const int error = SSL_get_error(connection.tls.get(), result);
    connection.events = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

}  // namespace certmgr::responder
