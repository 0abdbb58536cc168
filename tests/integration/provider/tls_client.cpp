#include "tests/integration/provider/tls_client.h"

#include <algorithm>
#include <stdexcept>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "tests/integration/provider/openssl_service.h"
#include "tests/support/child_process.h"

namespace provider_test {
namespace {

hal::UniqueFd connectTo(std::uint16_t port) {
    hal::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval limit{.tv_sec = 40};  // longer than a signature may take
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
    return fd;
}

std::string exchange(SSL* tls, const std::string& name) {
    const std::string request = "GET / HTTP/1.0\r\nHost: " + name + "\r\n\r\n";
    std::array<char, 12> answer{};
    if (SSL_write(tls, request.data(), static_cast<int>(request.size())) <= 0)
        return "the request was not taken";
    if (SSL_read(tls, answer.data(), answer.size()) <= 0) return "the request was not answered";
    return std::string(answer.data(), answer.size()) == "HTTP/1.1 200" ? "" : "the answer was not 200";
}

}  // namespace

TlsClient::TlsClient(int tlsVersion) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), tlsVersion);
    SSL_CTX_set_max_proto_version(context_.get(), tlsVersion);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
}

TlsClient::Session TlsClient::connect(std::uint16_t port, const std::string& name) const {
    Session session{connectTo(port), hal::SslPtr(SSL_new(context_.get()))};
    SSL_set_fd(session.tls.get(), session.fd.get());
    // SSL_set_tlsext_host_name without the cast in its macro.
    SSL_ctrl(session.tls.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(name.c_str()));
    if (!session.fd || SSL_connect(session.tls.get()) != 1) session.tls.reset();
    return session;
}

bool TlsClient::shakeHands(std::uint16_t port, const std::string& name) const {
    return connect(port, name).tls != nullptr;
}

std::string TlsClient::visit(std::uint16_t port, const std::string& name) const {
    const Session session = connect(port, name);
    if (!session.tls) return name + ": no handshake: " + takeErrors();
    const std::string place = name + " " + SSL_get_version(session.tls.get()) + ": ";
    X509* leaf = SSL_get0_peer_certificate(session.tls.get());
    if (!leaf || X509_check_host(leaf, name.c_str(), 0, 0, nullptr) != 1)
        return place + "another name's leaf";
    const std::string problem = exchange(session.tls.get(), name);
    return problem.empty() ? "" : place + problem + " " + takeErrors();
}

TlsLoad::TlsLoad(std::uint16_t port, std::vector<std::string> names, int threads)
    : port_(port), names_(std::move(names)) {
    for (const std::string& name : names_) good_[name] = 0;
    for (int i = 0; i < threads; ++i)
        threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
}

void TlsLoad::run(const std::stop_token& stop) {
    const std::array<TlsClient, 2> clients{TlsClient(tlsVersions[0]), TlsClient(tlsVersions[1])};
    while (!stop.stop_requested())
        for (const std::string& name : names_)
            for (const TlsClient& client : clients) {
                const std::string problem = client.visit(port_, name);
                if (problem.empty()) {
                    ++good_.at(name);
                    continue;
                }
                const std::lock_guard lock(mutex_);
                failures_.push_back(problem);
            }
}

void TlsLoad::awaitMore(int count) const {
    std::map<std::string, int> goal;
    for (const auto& [name, good] : good_) goal[name] = good + count;
    const auto reached = [&](const auto& entry) { return good_.at(entry.first) >= entry.second; };
    testing_support::waitUntil(
        "visits of every name",
        [&] { return !failures().empty() || std::all_of(goal.begin(), goal.end(), reached); },
        std::chrono::seconds(60));
}

int TlsLoad::visits() const {
    int sum = 0;
    for (const auto& [name, good] : good_) sum += good;
    return sum;
}

std::vector<std::string> TlsLoad::failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
}

}  // namespace provider_test
