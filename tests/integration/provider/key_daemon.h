// certmgr-keyd for a test of the provider, with a TPM where it asks for one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hal/client/keyd_client.h"
#include "tests/support/keyd_server.h"
#include "tests/support/swtpm.h"

namespace provider_test {

class KeyDaemon {
  public:
    enum class Tpm { none, swtpm };
    explicit KeyDaemon(Tpm tpm = Tpm::none);

    testing_support::KeydServer& server() { return server_; }
    void restart();  // SIGKILL, and start

    // A key that these users may sign with besides the test's own; its reference as PEM.
    std::string makeReference(hal::KeyAlgorithm algorithm, hal::KeyPolicy policy = hal::KeyPolicy::file,
                              const std::vector<std::string>& users = {});

  private:
    std::optional<testing_support::Swtpm> tpm_;
    testing_support::KeydServer server_;
    hal::KeydClient client_;
};

}  // namespace provider_test
