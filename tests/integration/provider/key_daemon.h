// certmgr-keyd for a test of the provider, with a TPM where it asks for one.
#pragma once

#include <map>
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
    // One for all tests that do not stop it.
    static KeyDaemon& shared();

    testing_support::KeydServer& server() { return server_; }
    void restart();  // SIGKILL, and start

    // A key that these users may sign with besides the test's own; its reference as PEM.
    std::string makeReference(hal::KeyAlgorithm algorithm, hal::KeyPolicy policy = hal::KeyPolicy::file,
                              const std::vector<std::string>& users = {});

    // The one file key of this algorithm, made when it is first asked for: making RSA keys is what takes
    // long.
    const std::string& reference(hal::KeyAlgorithm algorithm);

  private:
    std::optional<testing_support::Swtpm> tpm_;
    testing_support::KeydServer server_;
    hal::KeydClient client_;
    std::map<hal::KeyAlgorithm, std::string> references_;
};

}  // namespace provider_test
