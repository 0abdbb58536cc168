// A software TPM for one test, bare or behind tpm2-abrmd on a private bus.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace testing_support {

// Its state is in a directory of its own and survives stop() and start().
class Swtpm {
  public:
    Swtpm();
    void start();
    void stop();               // SIGKILL: gone from one moment to the next
    std::string tcti() const;  // "swtpm:path=…"
    // A command of tpm2-tools against this TPM; throws with its output where it fails.
    std::string tool(const std::vector<std::string>& argv) const;
    // The same, for commands that are meant to fail.
    RunResult tryTool(const std::vector<std::string>& argv) const;
    const std::filesystem::path& folder() const { return folder_.path(); }

  private:
    TemporaryDirectory folder_;
    std::unique_ptr<ChildProcess> process_;
};

// tpm2-abrmd over a Swtpm, on a dbus-daemon of its own.
class ResourceManager {
  public:
    explicit ResourceManager(const Swtpm& tpm);
    void start();
    void stop();
    std::string tcti() const { return "tabrmd:bus_type=session"; }
    std::map<std::string, std::string> environment() const;  // for whoever uses tcti()

  private:
    TemporaryDirectory folder_;
    std::string tpm_;
    ChildProcess bus_;
    std::unique_ptr<ChildProcess> process_;
};

}  // namespace testing_support
