// How many connections there may be, so that no user can keep the others out.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

#include <sys/types.h>

namespace hal::keyd {

// Threads: any.
class Admission {
  public:
    struct Limits {
        std::size_t connections = 256;
        std::size_t keptForManagers = 64;
        std::size_t perUser = 64;  // of those who are no managers
    };
    explicit Admission(Limits limits) : limits_(limits) {}

    bool enter(uid_t uid, bool manager);
    void leave(uid_t uid, bool manager);

  private:
    const Limits limits_;
    std::mutex mutex_;  // guards what follows
    std::size_t connections_ = 0;
    std::size_t others_ = 0;
    std::map<uid_t, std::size_t> byUser_;
};

}  // namespace hal::keyd
