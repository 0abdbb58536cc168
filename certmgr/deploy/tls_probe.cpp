#include "certmgr/deploy/tls_probe.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include "certmgr/core/error.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::deploy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds stopNoticed{100};

// What the service does wrong; becomes Seen::problem.
class Failure : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::string errnoText(int errnum) {
    return std::generic_category().message(errnum);
}

std::string sslText() {
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    const char* reason = ERR_reason_error_string(code);
    return reason ? reason : "the TLS exchange broke off";
}

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

Address parseAddress(const std::string& text, std::uint16_t port) {
    Address address;
    auto& four = reinterpret_cast<sockaddr_in&>(address.storage);
    auto& six = reinterpret_cast<sockaddr_in6&>(address.storage);
    if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        address.size = sizeof four;
    } else if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        address.size = sizeof six;
    } else {
        throw Failure("the probe's address \"" + text +
                      "\" is no numeric IPv4 or IPv6 address; correct the profile");
    }
    return address;
}

class Connection {
  public:
    Connection(const ProbeTarget& target, const std::stop_token& stop)
        : limit_(target.timeout), deadline_(steady_clock::now() + target.timeout), stop_(stop) {
        const Address address = parseAddress(target.address, target.port);
        socket_ =
            hal::UniqueFd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!socket_) throw Failure(errnoText(errno));
        if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0)
            return;
        if (errno != EINPROGRESS) throw Failure(errnoText(errno));
        await(POLLOUT);
        int problem = 0;
        socklen_t size = sizeof problem;
        ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
        if (problem != 0) throw Failure(errnoText(problem));
    }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count >= 0)
                bytes.remove_prefix(static_cast<std::size_t>(count));
            else if (errno == EAGAIN)
                await(POLLOUT);
            else if (errno != EINTR)
                throw Failure(errnoText(errno));
        }
    }

    std::string receive() {
        std::string block(16 * 1024, '\0');
        for (;;) {
            const ssize_t count = ::recv(socket_.get(), block.data(), block.size(), 0);
            if (count > 0) return block.substr(0, static_cast<std::size_t>(count));
            if (count == 0)
                throw Failure("the service closed the connection before the handshake was complete");
            if (errno == EAGAIN)
                await(POLLIN);
            else if (errno != EINTR)
                throw Failure(errnoText(errno));
        }
    }

  private:
    void await(short events) {
        for (;;) {
            const auto left = std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now());
            if (left <= milliseconds(0)) throw Failure(fmt::format("no answer within {} ms", limit_.count()));
            if (stop_.stop_requested()) throw Failure("no answer before certmgrd was stopped");
            pollfd waiting{socket_.get(), events, 0};
            const int ready = ::poll(&waiting, 1, static_cast<int>(std::min(left, stopNoticed).count()));
            if (ready > 0) return;
            if (ready < 0 && errno != EINTR) throw Failure(errnoText(errno));
        }
    }

    milliseconds limit_;
    steady_clock::time_point deadline_;
    const std::stop_token& stop_;
    hal::UniqueFd socket_;
};

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

    std::vector<std::string> chain() const {
        std::vector<std::string> fingerprints;
        const STACK_OF(X509)* sent = SSL_get_peer_cert_chain(ssl_.get());
        for (int i = 0; i < sk_X509_num(sent); ++i)
            fingerprints.push_back(crypto::sha256Hex(*sk_X509_value(sent, i)));
        return fingerprints;
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
        Handshake handshake(*context_, serverName);
        try {
            handshake.complete(connection);
            handshake.sayGoodbye(connection);
        } catch (const Failure& failure) {
            seen.problem = failure.what();
        }
        seen.chainSha256 = handshake.chain();
    } catch (const Failure& failure) {
        seen.problem = failure.what();
    }
    return seen;
}

}  // namespace certmgr::deploy
