// The real Pebble, with the DNS that makes every name 127.0.0.1 or a real one.
#pragma once

#include <optional>

#include "tests/support/child_process.h"

namespace testing_support {

class PebbleServer {
  public:
    struct Options {
        std::string program = "pebble";
        int nonceReject = 0;        // percent of good nonces that are refused
        int authzReuse = 0;         // percent of valid authorizations that are used again
        bool sleep = false;         // validation waits for random seconds
        std::uint16_t dnsPort = 0;  // of 127.0.0.1, a name server; 0: that DNS
        std::map<std::string, std::string> environment;
    };
    explicit PebbleServer(const Options& options);
    PebbleServer() : PebbleServer(Options{}) {}

    std::string directory() const { return "https://127.0.0.1:" + std::to_string(port_) + "/dir"; }
    std::uint16_t port() const { return port_; }
    std::filesystem::path trustFile() const { return folder_ / "ca.pem"; }
    std::filesystem::path tlsFiles() const { return folder_.path(); }
    std::uint16_t httpPort() const { return httpPort_; }  // where it asks for http-01 challenges
    std::uint16_t tlsPort() const { return tlsPort_; }    // and for tls-alpn-01
    std::string log() const { return readFile(folder_ / "pebble.log"); }

  private:
    void startDns(std::uint16_t port);

    TemporaryDirectory folder_;
    const std::uint16_t httpPort_ = freePort();
    const std::uint16_t tlsPort_ = freePort();
    const std::uint16_t port_ = freePort();
    std::optional<ChildProcess> dns_;
    std::optional<ChildProcess> pebble_;
};

}  // namespace testing_support
