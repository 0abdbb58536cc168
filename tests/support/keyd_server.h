// A certmgr-keyd for one test. Its keys survive stop(), kill() and start().
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace testing_support {

class KeydServer {
  public:
    struct Options {
        std::string tcti = "none";
        std::map<std::string, std::string> environment;
        std::vector<std::string> wrapper;  // put in front of the command line: {"strace", …}
    };
    KeydServer() : KeydServer(Options{}) {}
    explicit KeydServer(Options options);

    void start();  // returns when it serves
    void launch();
    void awaitServing();
    void stop();  // SIGTERM; throws where it does not end with 0
    void kill();  // SIGKILL
    pid_t pid() const { return process_->pid(); }
    bool running() { return process_ && process_->running(); }

    void wrapWith(std::vector<std::string> wrapper) { options_.wrapper = std::move(wrapper); }

    std::string socketPath() const { return folder_ / "keyd.sock"; }
    std::filesystem::path directory() const { return folder_ / "keys"; }
    std::string log() const { return readFile(folder_ / "keyd.log"); }

  private:
    Options options_;
    TemporaryDirectory folder_;
    std::unique_ptr<ChildProcess> process_;
};

// The provider module of this build, for KeydClient.
std::string providerModule();

}  // namespace testing_support
