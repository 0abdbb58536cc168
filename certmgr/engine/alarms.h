// Follows the alarms: from what the views show to what is open, on record and told.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "certmgr/config/settings.h"
#include "certmgr/engine/alarm_hook.h"
#include "certmgr/engine/event_log.h"
#include "certmgr/engine/records.h"
#include "certmgr/engine/views.h"

namespace certmgr::engine {

// look(), then record() on a worker, then show(): nobody hears of an alarm that a restart would not know.
class Alarms {
  public:
    Alarms(Records& records, Views& views, const Clock& clock, EventLog& log, AlarmHook& hook)
        : records_(records), views_(views), clock_(clock), log_(log), hook_(hook) {}

    struct Look {
        AlarmVerdict verdict;
        std::vector<AlarmNotice> notices;
    };
    // Main thread.
    void load();
    Look look(const config::Settings& settings, const std::vector<RevocationAlarmFacts>& revocations);
    void show(const Look& look);

    // Workers. Durable before it is in the journal.
    void record(const std::vector<AlarmNotice>& notices);
    // Hands over what the hook has not been told. What that throws is logged.
    void tell();

  private:
    seconds distrustedFor(const ClockTrust& trust);
    void write(const AlarmNotice& notice);

    Records& records_;
    Views& views_;
    const Clock& clock_;
    EventLog& log_;
    AlarmHook& hook_;
    std::vector<Alarm> open_;
    std::optional<std::chrono::milliseconds> distrustedSince_;  // by the boot time
    // Number of the last notice told in this run: told once, also while the database cannot be written.
    std::int64_t told_ = 0;
};

}  // namespace certmgr::engine
