// certmgr-keyd as a child of the test, and what the tests ask of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hal/client/connection.h"
#include "hal/key_store.h"
#include "tests/support/child_process.h"

namespace provider_test {

// keyd with a socket and a store below its own TemporaryDirectory. Its managers are root, and so is the test.
class KeyDaemon {
  public:
    enum class Tpm { none, swtpm };
    explicit KeyDaemon(Tpm tpm = Tpm::none);

    std::string socketPath() const { return folder_ / "keyd.sock"; }
    void start();    // returns when it answers
    void kill();     // SIGKILL
    void restart();  // kill() and start()

    // A key that these users may sign with besides root; its reference as PEM.
    std::string makeReference(hal::KeyAlgorithm algorithm, hal::KeyPolicy policy = hal::KeyPolicy::file,
                              const std::vector<std::string>& users = {});

  private:
    testing_support::TemporaryDirectory folder_;
    std::unique_ptr<testing_support::ChildProcess> tpm_;
    std::unique_ptr<testing_support::ChildProcess> process_;
    std::unique_ptr<hal::Connection> connection_;
};

}  // namespace provider_test
