#include "certmgr/deploy/tls_probe.h"

#include <algorithm>
#include <array>

#include <openssl/err.h>

#include "certmgr/core/error.h"
#include "certmgr/crypto/x509.h"
#include "certmgr/deploy/connection.h"
#include "certmgr/deploy/preamble.h"

namespace certmgr::deploy {
namespace {

std::string sslText() {
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    const char* reason = ERR_reason_error_string(code);
    return reason ? reason : "the TLS exchange broke off";
}

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL; a peer that hangs up would send SIGPIPE to the whole
// process.
class Handshake {
  public:
    Handshake(SSL_CTX& context, const Identifier& serverName) : ssl_(SSL_new(&context)) {
        hal::Bio input(BIO_new(BIO_s_mem()));
        hal::Bio output(BIO_new(BIO_s_mem()));
        if (!ssl_ || !input || !output)
            throw Error(ErrorKind::internal, "out-of-memory", "no memory for a TLS handshake");
        input_ = input.release();
        output_ = output.release();
        SSL_set_bio(ssl_.get(), input_, output_);
        if (serverName.type != Identifier::Type::dns) return;
        std::string name = serverName.value;
        if (SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) != 1)
            throw Failure("\"" + serverName.value + "\" cannot be sent as server name: " + sslText());
    }

    void complete(Connection& connection) {
        for (;;) {
            ERR_clear_error();
            const int result = SSL_connect(ssl_.get());
            const int error = SSL_get_error(ssl_.get(), result);
            flush(connection);
            if (result == 1) return;
            if (error != SSL_ERROR_WANT_READ) throw Failure(sslText());
            const std::string received = connection.receive();
            if (BIO_write(input_, received.data(), static_cast<int>(received.size())) <= 0)
                throw Failure(sslText());
        }
    }

    void sayGoodbye(Connection& connection) {
        try {
            SSL_shutdown(ssl_.get());
            flush(connection);
        } catch (const Failure&) {  // everything was seen already
        }
    }

    std::vector<const X509*> chain() const {
        std::vector<const X509*> certificates;
        const STACK_OF(X509)* sent = SSL_get_peer_cert_chain(ssl_.get());
        for (int i = 0; i < sk_X509_num(sent); ++i) certificates.push_back(sk_X509_value(sent, i));
        return certificates;
    }

  private:
    void flush(Connection& connection) {
        std::array<char, 4096> block;
        for (int size; (size = BIO_read(output_, block.data(), static_cast<int>(block.size()))) > 0;)
            connection.send({block.data(), static_cast<std::size_t>(size)});
    }

    hal::SslPtr ssl_;
    BIO* input_ = nullptr;  // both belong to ssl_
    BIO* output_ = nullptr;
};

// An inspecting proxy makes the leaf itself: what was deployed is the CA that signed it. That it sends a CA
// along is no proof: squid sends the new one with leaves of the one before, which it has kept.
std::vector<const X509*> withoutMadeLeaf(std::vector<const X509*> sent) {
    if (sent.empty()) return sent;
    const X509& leaf = *sent.front();
    sent.erase(sent.begin());
    const auto signer =
        std::ranges::find_if(sent, [&](const X509* one) { return crypto::issued(*one, leaf); });
    if (signer == sent.end())
        throw Failure("the proxy's leaf is signed by none of the " + std::to_string(sent.size()) +
                      " certificates that it sends with it");
    std::rotate(sent.begin(), signer, signer + 1);
    return sent;
}

Identifier siteNameOf(const ProbeTarget& target) {
    return parseIdentifier(target.site.substr(0, target.site.rfind(':')));
}

}  // namespace

TlsProbe::TlsProbe() : context_(SSL_CTX_new(TLS_client_method())) {
    if (!context_)
        throw Error(ErrorKind::internal, "openssl", "OpenSSL gave no TLS client context: " + sslText());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
}

Seen TlsProbe::look(const ProbeTarget& target, const Identifier& serverName, const std::stop_token& stop) {
    Seen seen;
    try {
        Connection connection(target, stop);
        seen.connected = true;
        speakUpToHandshake(connection, target);
        const bool proxy = target.kind == ProbeKind::httpsProxy;
        Handshake handshake(*context_, proxy ? siteNameOf(target) : serverName);
        try {
            handshake.complete(connection);
            handshake.sayGoodbye(connection);
        } catch (const Failure& failure) {
            seen.problem = failure.what();
        }
        for (const X509* one : proxy ? withoutMadeLeaf(handshake.chain()) : handshake.chain())
            seen.chainSha256.push_back(crypto::sha256Hex(*one));
    } catch (const Failure& failure) {
        seen.problem = failure.what();
    }
    return seen;
}

}  // namespace certmgr::deploy
