#include "certmgr/daemon/alarm_program.h"

#include "certmgr/core/error.h"
#include "hal/systemd/command.h"

namespace certmgr::daemon {
namespace {

std::string variable(const std::string& name, std::size_t value) {
    return name + "=" + std::to_string(value);
}

}  // namespace

void AlarmProgram::tell(const std::vector<AlarmNotice>& notices) {
    if (argv_.empty()) return;
    std::size_t ends = 0;
    bool critical = false;
    std::string lines;
    for (const AlarmNotice& notice : notices) {
        const bool cleared = notice.event == AlarmEvent::cleared;
        ends += cleared ? 1 : 0;
        critical = critical || (!cleared && notice.alarm.severity == AlarmSeverity::critical);
        lines += lineOf(notice) + "\n";
    }
    const std::size_t raised = notices.size() - ends;
    const char* const severity = raised == 0 ? "none" : critical ? "critical" : "warning";
    const hal::CommandResult result =
        hal::runCommand(argv_, std::chrono::steady_clock::now() + limit_,
                        {variable("CERTMGR_ALARMS", raised), variable("CERTMGR_CLEARED", ends),
                         "CERTMGR_SEVERITY=" + std::string(severity)},
                        lines);
    if (!result.succeeded())
        throw Error(ErrorKind::misconfigured, "alarm-program-failed", hal::describe(argv_, result));
}

}  // namespace certmgr::daemon
