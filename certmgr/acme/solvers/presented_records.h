// What was put into DNS and has to be taken out of it again, on disk: it outlives the run that put it there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "certmgr/acme/solver.h"
#include "certmgr/acme/solvers/record_writer.h"

namespace certmgr::acme {

// A file for each record, in a directory of its own. Thread-safe as long as no two threads have the same
// proof. Throws internal errors of the file system.
class PresentedRecords {
  public:
    explicit PresentedRecords(std::filesystem::path directory) : directory_(std::move(directory)) {}

    // Durable when it returns, and before the record is sent. One that was to be taken away is in use again.
    void add(const Proof& proof, const ProofRecord& record) const;
    std::optional<ProofRecord> find(const Proof& proof) const;
    // Its time is over, and it is still to be taken away.
    void end(const Proof& proof) const;
    void forget(const Proof& proof) const;
    // One that was added since `oldest` is there for a CA to see, and has not ended.
    bool anyAt(const std::string& owner, std::filesystem::file_time_type oldest) const;

    // Ended, or added before `oldest` by a run that nobody went on with.
    struct Left {
        std::filesystem::path file;
        std::filesystem::file_time_type since;  // it was added
        ProofRecord record;
    };
    std::vector<Left> left(std::filesystem::file_time_type oldest) const;
    // Nobody has taken it away or added it again.
    bool isLeft(const Left& left) const;
    void forget(const Left& left) const;

  private:
    const std::filesystem::path directory_;
};

}  // namespace certmgr::acme
