// What somebody asked for over the bus, followed to its end. Main thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "certmgr/core/error.h"
#include "certmgr/engine/views.h"

namespace certmgr::engine {

class Jobs {
  public:
    explicit Jobs(Views& views) : views_(views) {}

    std::string begin(const std::string& kind, const CertificateId& certificate);
    void done(const std::string& id, const std::string& result);
    void failed(const std::string& id, const Error& error);

  private:
    void ended(JobView view);

    Views& views_;
    std::uint64_t last_ = 0;
    std::deque<std::string> ended_;  // the newest hundred can still be read
};

}  // namespace certmgr::engine
