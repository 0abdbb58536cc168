// DNS names whose records somebody is changing.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace certmgr::acme {

// Keeps changes at one name apart, and lets those at others go on. Threads: any. Outlives its turns.
class BusyNames {
  public:
    struct End {
        BusyNames* of;
        void operator()(const std::string* name) const;
    };
    // The name is its holder's alone until it is destroyed.
    using Turn = std::unique_ptr<const std::string, End>;

    // Blocks while another has the name: for as long as a hook program may run.
    [[nodiscard]] Turn await(const std::string& name);
    // Null: another has it.
    [[nodiscard]] Turn tryNow(const std::string& name);

  private:
    std::mutex mutex_;
    std::condition_variable ended_;
    std::set<std::string> names_;
};

}  // namespace certmgr::acme
