// certmgr-tls-responder on a port of loopback, with a directory of its own.
#pragma once

#include "certmgr/acme/solvers/tls_alpn_solver.h"
#include "tests/support/child_process.h"

namespace testing_support {

class TlsResponderProcess {
  public:
    // `program`: the binary that was built, from its CMake target.
    TlsResponderProcess(const std::string& program, std::uint16_t port)
        : process_({program, "--directory", directory_.path().string(), "--listen",
                    "127.0.0.1:" + std::to_string(port)}) {
        waitUntil("certmgr-tls-responder listens", [&] { return portOpen(port); });
    }
    certmgr::acme::TlsAlpnSolver& solver() { return solver_; }
    const std::filesystem::path& directory() const { return directory_.path(); }
    pid_t pid() const { return process_.pid(); }

  private:
    TemporaryDirectory directory_;
    ChildProcess process_;
    certmgr::acme::TlsAlpnSolver solver_{directory_.path()};
};

}  // namespace testing_support
