// Events into the journal with their fields; onto standard error where there is no journal.
#pragma once

#include "certmgr/engine/event_log.h"

namespace certmgr::daemon {

class JournalLog : public engine::EventLog {
  public:
    JournalLog();
    void write(const engine::Event& event) noexcept override;

  private:
    bool journal_;
};

}  // namespace certmgr::daemon
