#include "tests/integration/provider/key_daemon.h"

#include <csignal>
#include <stdexcept>

#include "hal/client/messages.h"
#include "hal/client/reference.h"
#include "hal/error.h"

namespace provider_test {
using namespace testing_support;

KeyDaemon::KeyDaemon(Tpm) {
    connection_ = std::make_unique<hal::Connection>(socketPath());
    start();
}

void KeyDaemon::start() {
    process_ = std::make_unique<ChildProcess>(std::vector<std::string>{
        "/usr/bin/python3", "/tmp/hp/fakekeyd.py", socketPath(), (folder_ / "keys").string()});
    waitUntil("certmgr-keyd answers", [this] {
        if (!process_->running())
            throw std::runtime_error("certmgr-keyd ended: " + readFile(folder_ / "keyd.log"));
        try {
            connection_->call(hal::wire::Operation::health, {});
            return true;
        } catch (const hal::Error&) {
            return false;
        }
    });
}

void KeyDaemon::kill() {
    process_->signal(SIGKILL);
    process_.reset();
}

void KeyDaemon::restart() {
    kill();
    start();
}

std::string KeyDaemon::makeReference(hal::KeyAlgorithm algorithm, hal::KeyPolicy policy,
                                     const std::vector<std::string>& users) {
    hal::KeyRequest request{hal::KeyId::fresh(), algorithm, policy, {users, {}}, "provider test"};
    std::vector<std::string> fields;
    hal::wire::append(fields, request);
    const hal::KeyInfo info = hal::wire::keyInfoAt(connection_->call(hal::wire::Operation::make, fields), 0);
    return hal::toPem({socketPath(), info.id, info.publicKey});
}

}  // namespace provider_test
