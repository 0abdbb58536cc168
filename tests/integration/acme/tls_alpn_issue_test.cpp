// Whole orders by tls-alpn-01: Pebble asks the responder, directly and through the server of a port that goes
// on serving everybody else.
#include <gtest/gtest.h>

#include "tests/integration/acme/acme_world.h"
#include "tests/support/https_server.h"
#include "tests/support/nginx_server.h"
#include "tests/support/tls_responder_process.h"

namespace acme_test {
namespace {

using testing_support::ChildProcess;
using testing_support::freePort;
using testing_support::NginxServer;
using testing_support::TemporaryDirectory;
using testing_support::TlsResponderProcess;

std::string text(std::uint16_t port) {
    return std::to_string(port);
}

void expectIssued(World& world, TlsResponderProcess& responder, const std::vector<Identifier>& names) {
    const hal::Pkey key(EVP_EC_gen("P-256"));
    acme::Request request;
    request.names = names;
    request.csr = crypto::buildCsr(*key, crypto::publicKeyInfoOf(*key), names);
    MemoryJournal journal;
    const std::string chain =
        acme::issue(*world.session(), request, {{responder.solver()}}, journal, {}).chainPem;
    expectCertificate(chain, request, *key);
    EXPECT_TRUE(std::filesystem::is_empty(responder.directory()));
}

const Identifier name{Identifier::Type::dns, "gw.example"};

TEST(TlsAlpnIssue, ProvesNamesAndAddresses) {
    World world;
    TlsResponderProcess responder(CERTMGR_TLS_RESPONDER, world.pebble.tlsPort());
    expectIssued(world, responder, {name, {Identifier::Type::ip, "127.0.0.1"}});
}

// Everybody but the CA sees the web server, before and after.
void expectServed(std::uint16_t port) {
    const auto answer =
        testing_support::run({"curl", "-sSk", "--noproxy", "*", "https://127.0.0.1:" + text(port) + "/"});
    EXPECT_EQ(answer.output, "the web server") << answer.status;
}

const char* const webServer = R"(
    server {
        listen 127.0.0.1:@port:web@ ssl;
        ssl_certificate @folder@/server.pem;
        ssl_certificate_key @folder@/key.pem;
        location / { return 200 "the web server"; }
    })";

TEST(TlsAlpnIssue, BesideAWebServerBehindNginx) {
    World world;
    const std::uint16_t responderPort = freePort();
    TlsResponderProcess responder(CERTMGR_TLS_RESPONDER, responderPort);
    NginxServer nginx({.outside = R"(load_module /usr/lib/nginx/modules/ngx_stream_module.so;
stream {
    map $ssl_preread_alpn_protocols $upstream {
        acme-tls/1 127.0.0.1:)" + text(responderPort) +
                                  R"(;
        default 127.0.0.1:@port:web@;
    }
    server {
        listen 127.0.0.1:)" + text(world.pebble.tlsPort()) +
                                  R"(;
        ssl_preread on;
        proxy_pass $upstream;
    }
})"});
    testing_support::makeTlsFiles(nginx.folder());
    nginx.configure(webServer);
    nginx.start();
    expectServed(world.pebble.tlsPort());
    expectIssued(world, responder, {name});
    expectServed(world.pebble.tlsPort());
}

TEST(TlsAlpnIssue, BesideAWebServerBehindHaproxy) {
    World world;
    const std::uint16_t responderPort = freePort();
    TlsResponderProcess responder(CERTMGR_TLS_RESPONDER, responderPort);
    NginxServer nginx;
    testing_support::makeTlsFiles(nginx.folder());
    nginx.configure(webServer);
    nginx.start();
    const TemporaryDirectory folder;
    testing_support::writeFile(folder / "haproxy.cfg", R"(
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend https
    bind 127.0.0.1:)" + text(world.pebble.tlsPort()) + R"(
    tcp-request inspect-delay 5s
    tcp-request content accept if { req.ssl_hello_type 1 }
    use_backend challenges if { req.ssl_alpn acme-tls/1 }
    default_backend web
backend challenges
    server responder 127.0.0.1:)" + text(responderPort) + R"(
backend web
    server nginx 127.0.0.1:)" + text(nginx.port("web")) + "\n");
    const ChildProcess haproxy({"haproxy", "-db", "-f", (folder / "haproxy.cfg").string()});
    testing_support::waitUntil("haproxy listens",
                               [&] { return testing_support::portOpen(world.pebble.tlsPort()); });
    expectServed(world.pebble.tlsPort());
    expectIssued(world, responder, {name});
    expectServed(world.pebble.tlsPort());
}

}  // namespace
}  // namespace acme_test
