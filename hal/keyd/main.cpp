// certmgr-keyd: the one process that touches the TPM and the key files.
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "hal/error.h"
#include "hal/keyd/log.h"
#include "hal/keyd/server.h"

namespace {

using hal::keyd::log;
using hal::keyd::Priority;

struct Options {
    std::string socket;
    std::string directory = "/var/lib/certmgr-keyd";
    std::vector<std::string> managers;
    std::vector<std::string> installers;
    std::string tcti = "device:/dev/tpmrm0";
};

// Empty: the program is done (--help, --version, or a wrong option), with the status in `status`.
std::optional<Options> parse(int argc, char** argv, int& status) {
    Options options;
    CLI::App app(
        "Keeps private keys in the TPM or in files, and signs with them for whom their access list names.",
        "certmgr-keyd");
    app.set_version_flag("--version", "certmgr-keyd " CERTMGR_VERSION);
    app.add_option("--socket", options.socket,
                   "listen at this path (default: the socket that systemd passes)");
    app.add_option("--directory", options.directory, "where the keys lie")->capture_default_str();
    app.add_option("--manager", options.managers,
                   "a user (name or number) who may do everything; repeatable");
    app.add_option("--installer", options.installers,
                   "a user who may take out file keys, for services that read them; repeatable");
    app.add_option("--tcti", options.tcti, "how the TPM is reached, as for tpm2-tools; none: there is none")
        ->capture_default_str();
    try {
        app.parse(argc, argv);
        return options;
    } catch (const CLI::ParseError& error) {
        status = app.exit(error) == 0 ? EXIT_SUCCESS : 2;
        return std::nullopt;
    }
}

void protectProcess() {
    // Keys are in memory: no core dump, no ptrace by the same user.
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) hal::throwErrno(errno, "PR_SET_DUMPABLE");
    ::umask(0077);
    // libtss2 writes to sockets without MSG_NOSIGNAL; the TPM going away must not end keyd.
    std::signal(SIGPIPE, SIG_IGN);
    ::setenv("TSS2_LOG", "all+none", 0);  // its response codes become our errors; its own lines add nothing
}

// Blocks the signals in every thread to come.
hal::UniqueFd stopSignals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    hal::UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
    if (!fd) hal::throwErrno(errno, "signalfd");
    return fd;
}

hal::UniqueFd listener(const Options& options) {
    const int passed = sd_listen_fds(1);
    if (passed > 1 || (passed == 1 && !options.socket.empty()) || (passed < 1 && options.socket.empty()))
        throw hal::Error(hal::ErrorKind::misconfigured, "bad-socket",
                         "expected either --socket PATH or one socket from systemd, found " +
                             std::to_string(std::max(passed, 0)) + " from systemd");
    if (passed < 1) return hal::keyd::listenAt(options.socket);
    hal::UniqueFd fd(SD_LISTEN_FDS_START);
    if (sd_is_socket_unix(fd.get(), SOCK_STREAM, 1, nullptr, 0) <= 0 ||
        ::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0)
        throw hal::Error(
            hal::ErrorKind::misconfigured, "bad-socket",
            "systemd passed something else than a listening UNIX stream socket: see ListenStream=");
    return fd;
}

std::set<uid_t> userIds(const std::vector<std::string>& users) {
    std::set<uid_t> ids;
    for (const std::string& user : users) ids.insert(hal::keyd::userIdOf(user));
    return ids;
}

void serve(const Options& options) {
    protectProcess();
    const hal::UniqueFd stop = stopSignals();
    hal::keyd::KeyService service(options.directory, options.tcti);
    for (const hal::KeyId& id : service.damagedKeys())
        log(Priority::error, "key " + id.text() + " is damaged: restore its file, or reissue with a new key");
    hal::keyd::Server server(listener(options), service, userIds(options.managers),
                             userIds(options.installers));
    log(Priority::info, "serving the keys in " + options.directory);
    sd_notify(0, "READY=1");
    server.run(stop.get());
    sd_notify(0, "STOPPING=1");
}

}  // namespace

int main(int argc, char** argv) {
    int status = EXIT_SUCCESS;
    try {
        if (const std::optional<Options> options = parse(argc, argv, status)) serve(*options);
    } catch (const std::exception& error) {
        log(Priority::error, error.what());
        return EXIT_FAILURE;
    }
    return status;
}
