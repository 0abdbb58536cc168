#include "tests/integration/provider/key_daemon.h"

namespace provider_test {

KeyDaemon::KeyDaemon(Tpm tpm)
    : tpm_(tpm == Tpm::swtpm ? std::make_optional<testing_support::Swtpm>() : std::nullopt),
      server_({.tcti = tpm_ ? tpm_->tcti() : "none", .environment = {}, .wrapper = {}}),
      client_(server_.socketPath()) {}

KeyDaemon& KeyDaemon::shared() {
    static KeyDaemon daemon;
    return daemon;
}

void KeyDaemon::restart() {
    server_.kill();
    server_.start();
}

std::string KeyDaemon::makeReference(hal::KeyAlgorithm algorithm, hal::KeyPolicy policy,
                                     const std::vector<std::string>& users) {
    const hal::KeyId id = hal::KeyId::fresh();
    client_.make({id, algorithm, policy, {users, {}}, "provider test"});
    return client_.reference(id);
}

const std::string& KeyDaemon::reference(hal::KeyAlgorithm algorithm) {
    std::string& made = references_[algorithm];
    if (made.empty()) made = makeReference(algorithm);
    return made;
}

}  // namespace provider_test
