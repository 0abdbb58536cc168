// A real nginx on loopback: configuration, sockets, logs and temporary files below one TemporaryDirectory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "tests/support/child_process.h"

namespace testing_support {

// The master runs as root, the workers as www-data. Put certificates into folder(), configure(), then
// start().
class NginxServer {
  public:
    struct Options {
        int workers = 2;
        std::map<std::string, std::string> environment;  // e.g. OPENSSL_CONF
        std::string outside;  // what stands before http { }, with the same placeholders
    };
    explicit NginxServer(Options options);
    NginxServer() : NginxServer(Options{}) {}

    const std::filesystem::path& folder() const { return folder_.path(); }
    // A free port of 127.0.0.1, the same one whenever it is asked for by this name.
    std::uint16_t port(const std::string& name);

    // Writes nginx.conf. `http` is what stands inside http { }; in it @folder@ is replaced by the folder and
    // @port:NAME@ by port(NAME). A running nginx sees the change by its next reload.
    void configure(const std::string& http);
    std::filesystem::path configuration() const { return folder_ / "nginx.conf"; }

    // Returns when all workers are there and every port is open. Throws std::runtime_error with the error log
    // when nginx ends instead.
    void start();
    // HUP, and returns when the old workers were told to take no more connections. Throws std::runtime_error
    // with the log when nginx refused the configuration; the old workers then go on.
    void reload();
    void stop();  // SIGTERM, as soon as the connections' work allows; start() may follow

    pid_t master() const { return process_->pid(); }
    std::set<pid_t> workers() const;  // those that were told to shut down but still serve are among them
    std::string errorLog() const;     // level notice

  private:
    bool listening() const;

    Options options_;
    TemporaryDirectory folder_;
    std::map<std::string, std::uint16_t> ports_;
    std::unique_ptr<ChildProcess> process_;
};

}  // namespace testing_support
