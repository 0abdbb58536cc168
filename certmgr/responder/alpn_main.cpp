// certmgr-tls-responder: answers the tls-alpn-01 challenges (RFC 8737) that certmgrd lays out as files. As
// certmgr-responder, it talks to strangers and has nothing that they could take: its key is worth nothing.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <systemd/sd-daemon.h>

#include "certmgr/responder/alpn_server.h"
#include "certmgr/responder/listening.h"
#include "hal/error.h"

namespace {

using namespace certmgr::responder;

[[noreturn]] void serve(const std::string& directory, const std::vector<std::string>& endpoints) {
    const ChallengeDirectory challenges(directory);
    AlpnServer server(allSockets(endpoints), challenges);
    ::sd_notify(0, "READY=1");
    server.run();
}

}  // namespace

int main(int argc, char** argv) {
    std::string directory;
    std::vector<std::string> endpoints;
    CLI::App app("Answers the ACME tls-alpn-01 challenges that lie as files in a directory.",
                 "certmgr-tls-responder");
    app.add_option("--directory", directory, "where the files named by the server names lie")->required();
    app.add_option("--listen", endpoints,
                   "ADDRESS:PORT, any number of times; without it, the socket unit's sockets");
    app.set_version_flag("--version", "certmgr-tls-responder " CERTMGR_VERSION);
    CLI11_PARSE(app, argc, argv);
    try {
        serve(directory, endpoints);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "certmgr-tls-responder: %s\n", error.what());
        return 1;
    }
}
