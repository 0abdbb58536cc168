#include "tests/support/https_server.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/socket.h>

#include "certmgr/crypto/x509.h"
#include "tests/support/child_process.h"

namespace testing_support {
namespace {

using certmgr::Identifier;

hal::Bytes publicKeyInfo(const EVP_PKEY& key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(const_cast<EVP_PKEY*>(&key), &der);
    const hal::Bytes bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

std::string privatePem(EVP_PKEY* key) {
    const hal::Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

// Header and as much of a body as Content-Length says; what the peer leaves out is not waited for.
bool complete(const std::string& message) {
    const std::size_t end = message.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::size_t length = message.find("Content-Length: ");
    return length >= end || message.size() >= end + 4 + std::stoul(message.substr(length + 16));
}

}  // namespace

void makeTlsFiles(const std::filesystem::path& directory, std::chrono::sys_seconds notBefore,
                  std::chrono::sys_seconds notAfter) {
    const hal::Pkey caKey(EVP_EC_gen("P-256"));
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const auto ca =
        certmgr::crypto::buildCa({"Test TLS CA", "", notBefore, notAfter + std::chrono::hours(24)},
                                 publicKeyInfo(*caKey), nullptr, *caKey);
    const std::vector<Identifier> names{{Identifier::Type::dns, "localhost"},
                                        {Identifier::Type::ip, "127.0.0.1"}};
    const auto leaf =
        certmgr::crypto::buildServerLeaf({names, notBefore, notAfter}, publicKeyInfo(*key), *ca, *caKey);
    writeFile(directory / "server.pem", certmgr::crypto::toPem(*leaf));
    writeFile(directory / "key.pem", privatePem(key.get()));
    writeFile(directory / "ca.pem", certmgr::crypto::toPem(*ca));
}

void makeTlsFiles(const std::filesystem::path& directory) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    makeTlsFiles(directory, now - std::chrono::hours(1), now + std::chrono::hours(24));
}

HttpsServer::HttpsServer(const std::filesystem::path& tlsFiles, Handler handler)
    : handler_(std::move(handler)),
      context_(SSL_CTX_new(TLS_server_method())),
      listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (SSL_CTX_use_certificate_chain_file(context_.get(), (tlsFiles / "server.pem").c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_.get(), (tlsFiles / "key.pem").c_str(), SSL_FILETYPE_PEM) != 1)
        throw std::runtime_error("no TLS files in " + tlsFiles.string());
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to clients that have hung up
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listening_.get(), SOMAXCONN) != 0 ||
        ::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("no port on 127.0.0.1");
    port_ = ntohs(address.sin_port);
    accepting_ = std::jthread([this](const std::stop_token& stop) { accept(stop); });
}

HttpsServer::~HttpsServer() {
    accepting_.request_stop();
    ::shutdown(listening_.get(), SHUT_RDWR);
    accepting_.join();
}

void HttpsServer::accept(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        hal::UniqueFd connection(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!connection) continue;
        const std::lock_guard lock(mutex_);
        serving_.emplace_back([this, fd = std::move(connection)]() mutable { serve(std::move(fd)); });
    }
}

void HttpsServer::serve(hal::UniqueFd connection) {
    const hal::SslPtr tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), connection.get());
    if (SSL_accept(tls.get()) != 1) return;
    std::string request;
    std::array<char, 4096> buffer;
    while (!complete(request)) {
        const int size = SSL_read(tls.get(), buffer.data(), buffer.size());
        if (size <= 0) return;
        request.append(buffer.data(), static_cast<std::size_t>(size));
    }
    const std::string answer = handler_(request);
    if (answer.empty()) return;
    for (std::size_t sent = 0; sent < answer.size();) {
        const int size = SSL_write(tls.get(), answer.data() + sent,
                                   static_cast<int>(std::min<std::size_t>(answer.size() - sent, 16384)));
        if (size <= 0) return;
        sent += static_cast<std::size_t>(size);
    }
    SSL_shutdown(tls.get());
}

std::string httpAnswer(int status, const std::string& contentType, const std::string& body,
                       const std::string& moreHeaders) {
    return "HTTP/1.1 " + std::to_string(status) +
           " Status\r\nConnection: close\r\nContent-Type: " + contentType +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + moreHeaders + "\r\n" + body;
}

std::string forwardTo(std::uint16_t port, const std::string& request) {
    const hal::SslContext context(SSL_CTX_new(TLS_client_method()));
    const hal::Bio bio(BIO_new_ssl_connect(context.get()));
    BIO_set_conn_hostname(bio.get(), ("127.0.0.1:" + std::to_string(port)).c_str());
    std::string closing = request;
    closing.insert(closing.find("\r\n") + 2, "Connection: close\r\n");
    if (BIO_write(bio.get(), closing.data(), static_cast<int>(closing.size())) <= 0) return "";
    std::string answer;
    std::array<char, 4096> buffer;
    for (int size = 0; (size = BIO_read(bio.get(), buffer.data(), buffer.size())) > 0;)
        answer.append(buffer.data(), static_cast<std::size_t>(size));
    return answer;
}

}  // namespace testing_support
