// Runs a program of the administrator's choice, which mails alarms, say.
#pragma once

#include <string>
#include <vector>

#include "certmgr/core/clock.h"
#include "certmgr/engine/alarm_hook.h"

namespace certmgr::daemon {

// certmgr.toml(5) says what the program is given. Error "alarm-program-failed": it did not end with status 0
// in time.
class AlarmProgram : public engine::AlarmHook {
  public:
    // `argv` empty: nobody is told.
    AlarmProgram(std::vector<std::string> argv, seconds limit) : argv_(std::move(argv)), limit_(limit) {}

    void tell(const std::vector<AlarmNotice>& notices) override;

  private:
    const std::vector<std::string> argv_;
    const seconds limit_;
};

}  // namespace certmgr::daemon
