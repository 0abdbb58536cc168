#include "certmgr/crypto/tls_handshake.h"

#include <array>

#include "certmgr/core/error.h"
#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {
namespace {

std::string sslText() {
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    const char* reason = ERR_reason_error_string(code);
    return reason ? reason : "the TLS exchange broke off";
}

}  // namespace

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL; a peer that hangs up would send SIGPIPE to the whole
// process.
TlsHandshake::TlsHandshake(SSL_CTX& context, const std::string& serverName) : ssl_(SSL_new(&context)) {
    hal::Bio input(BIO_new(BIO_s_mem()));
    hal::Bio output(BIO_new(BIO_s_mem()));
    if (!ssl_ || !input || !output)
        throw Error(ErrorKind::internal, "out-of-memory", "no memory for a TLS handshake");
    input_ = input.release();
    output_ = output.release();
    SSL_set_bio(ssl_.get(), input_, output_);
    if (serverName.empty()) return;
    std::string name = serverName;
    if (SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) != 1)
        throw Error(ErrorKind::rejected, "bad-server-name",
                    "\"" + serverName + "\" cannot be sent as server name: " + sslText());
}

void TlsHandshake::offer(std::string_view protocol) {
    std::string list(1, static_cast<char>(protocol.size()));
    list += protocol;
    // 0 is success, unlike elsewhere.
    if (SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned>(list.size())) != 0)
        throwOpenSsl("SSL_set_alpn_protos");
}

TlsHandshake::State TlsHandshake::advance() {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) return State::complete;
    if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) return State::wantsMore;
    problem_ = sslText();
    return State::failed;
}

std::string TlsHandshake::output() {
    std::string text;
    std::array<char, 4096> block;
    for (int size; (size = BIO_read(output_, block.data(), static_cast<int>(block.size()))) > 0;)
        text.append(block.data(), static_cast<std::size_t>(size));
    return text;
}

void TlsHandshake::input(std::string_view received) {
    check(BIO_write(input_, received.data(), static_cast<int>(received.size())), "BIO_write");
}

void TlsHandshake::sayGoodbye() {
    SSL_shutdown(ssl_.get());
}

std::string TlsHandshake::agreedProtocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

std::vector<const X509*> TlsHandshake::chain() const {
    std::vector<const X509*> certificates;
    const STACK_OF(X509)* sent = SSL_get_peer_cert_chain(ssl_.get());
    for (int i = 0; i < sk_X509_num(sent); ++i) certificates.push_back(sk_X509_value(sent, i));
    return certificates;
}

hal::SslContext lookingContext() {
    hal::SslContext context(SSL_CTX_new(TLS_client_method()));
    if (!context) throwOpenSsl("SSL_CTX_new");
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    return context;
}

}  // namespace certmgr::crypto
