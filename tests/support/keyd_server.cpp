#include "tests/support/keyd_server.h"

#include <csignal>
#include <stdexcept>

#include <unistd.h>

#include "hal/client/connection.h"
#include "hal/error.h"

namespace testing_support {
namespace {

bool answers(const std::string& socketPath) {
    try {
        hal::Connection(socketPath, std::chrono::milliseconds(0)).call(hal::wire::Operation::list, {""});
        return true;
    } catch (const hal::Error&) {
        return false;
    }
}

}  // namespace

KeydServer::KeydServer(Options options) : options_(std::move(options)) {
    start();
}

void KeydServer::launch() {
    std::vector<std::string> argv = options_.wrapper;
    const std::vector<std::string> command{CERTMGR_KEYD,
                                           "--socket",
                                           socketPath(),
                                           "--directory",
                                           directory(),
                                           "--manager",
                                           std::to_string(::getuid()),
                                           "--tcti",
                                           options_.tcti};
    argv.insert(argv.end(), command.begin(), command.end());
    ChildProcess::Options options;
    options.environment = options_.environment;
    options.output = folder_ / "keyd.log";
    process_ = std::make_unique<ChildProcess>(argv, options);
}

void KeydServer::awaitServing() {
    waitUntil("certmgr-keyd serves", [&] {
        if (!running()) throw std::runtime_error("certmgr-keyd ended: " + log());
        return answers(socketPath());
    });
}

void KeydServer::start() {
    launch();
    awaitServing();
}

void KeydServer::stop() {
    process_->signal(SIGTERM);
    const std::optional<int> status = process_->wait(std::chrono::seconds(20));
    if (status != 0) throw std::runtime_error("certmgr-keyd did not end with 0: " + log());
    process_.reset();
}

void KeydServer::kill() {
    process_->signal(SIGKILL);
    process_->wait(std::chrono::seconds(5));
    process_.reset();
}

std::string providerModule() {
    return CERTMGR_PROVIDER;
}

}  // namespace testing_support
