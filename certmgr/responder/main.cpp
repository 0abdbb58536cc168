// certmgr-responder: answers the http-01 challenges (RFC 8555 8.3) that certmgrd lays out as files. It is a
// process of its own because it is the one that talks to strangers: no keys, no database, no bus.
#include <csignal>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <systemd/sd-daemon.h>

#include "certmgr/responder/challenge_server.h"
#include "certmgr/responder/listening.h"
#include "hal/error.h"

namespace {

using namespace certmgr::responder;

void serve(const std::string& directory, const std::vector<std::string>& endpoints) {
    // Blocked before a thread exists, so that only the sigwait below sees them.
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    const ChallengeDirectory challenges(directory);
    std::vector<std::unique_ptr<ChallengeServer>> servers;
    for (hal::UniqueFd& socket : allSockets(endpoints))
        servers.push_back(std::make_unique<ChallengeServer>(std::move(socket), challenges));
    ::sd_notify(0, "READY=1");
    int received = 0;
    ::sigwait(&signals, &received);
    ::sd_notify(0, "STOPPING=1");
}

}  // namespace

int main(int argc, char** argv) {
    std::string directory;
    std::vector<std::string> endpoints;
    CLI::App app("Answers the ACME http-01 challenges that lie as files in a directory.",
                 "certmgr-responder");
    app.add_option("--directory", directory, "where the files named by their tokens lie")->required();
    app.add_option("--listen", endpoints,
                   "ADDRESS:PORT, any number of times; without it, the socket unit's sockets");
    app.set_version_flag("--version", "certmgr-responder " CERTMGR_VERSION);
    CLI11_PARSE(app, argc, argv);
    try {
        serve(directory, endpoints);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "certmgr-responder: %s\n", error.what());
        return 1;
    }
}
