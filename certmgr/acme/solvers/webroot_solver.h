// http-01 by files: what lies in the directory is served by certmgr-responder, or by the box's own proxy.
#pragma once

#include <chrono>
#include <filesystem>

#include "certmgr/acme/http01_solver.h"

namespace certmgr::acme {

// Thread-safe; several orders use it at once, each with tokens of its own.
class WebrootSolver : public Http01Solver {
  public:
    explicit WebrootSolver(std::filesystem::path directory);  // it must exist

    void present(const std::string& token, const std::string& keyAuthorization) override;
    void remove(const std::string& token) noexcept override;

    // Removes what a crash left behind: files of challenges that were written before `oldest`. Returns how
    // many.
    int purge(std::filesystem::file_time_type oldest) const;

  private:
    const std::filesystem::path directory_;
};

}  // namespace certmgr::acme
