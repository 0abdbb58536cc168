#include "tests/support/pebble_server.h"

#include <nlohmann/json.hpp>

#include "tests/support/https_server.h"

namespace testing_support {
namespace {

std::string onLoopback(std::uint16_t port) {
    return "127.0.0.1:" + std::to_string(port);
}

}  // namespace

PebbleServer::PebbleServer(const Options& options) {
    makeTlsFiles(folder_.path());
    const std::uint16_t dns = options.dnsPort != 0 ? options.dnsPort : freePort();
    if (options.dnsPort == 0) startDns(dns);
    const nlohmann::json settings{{"pebble",
                                   {{"listenAddress", onLoopback(port_)},
                                    {"certificate", (folder_ / "server.pem").string()},
                                    {"privateKey", (folder_ / "key.pem").string()},
                                    {"httpPort", httpPort_},
                                    {"tlsPort", tlsPort_},
                                    {"externalAccountBindingRequired", false}}}};
    writeFile(folder_ / "pebble.json", settings.dump());
    ChildProcess::Options child{.environment = options.environment, .output = folder_ / "pebble.log"};
    child.environment.emplace("PEBBLE_WFE_NONCEREJECT", std::to_string(options.nonceReject));
    child.environment.emplace("PEBBLE_AUTHZREUSE", std::to_string(options.authzReuse));
    if (!options.sleep) child.environment.emplace("PEBBLE_VA_NOSLEEP", "1");
    pebble_.emplace(
        std::vector<std::string>{options.program, "-strict", "-config", (folder_ / "pebble.json").string(),
                                 "-dnsserver", onLoopback(dns)},
        child);
    waitUntil("pebble and its DNS answer", [&] { return portOpen(port_) && portOpen(dns); });
}

void PebbleServer::startDns(std::uint16_t port) {
    dns_.emplace(std::vector<std::string>{"pebble-challtestsrv", "-dns01", onLoopback(port), "-management",
                                          onLoopback(freePort()), "-defaultIPv4", "127.0.0.1", "-defaultIPv6",
                                          "", "-http01", "", "-https01", "", "-tlsalpn01", ""},
                 ChildProcess::Options{.output = folder_ / "dns.log"});
}

}  // namespace testing_support
