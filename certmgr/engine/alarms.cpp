#include "certmgr/engine/alarms.h"

#include <set>

#include "certmgr/engine/alarm_facts.h"

namespace certmgr::engine {
namespace {

AlarmView viewOf(const Alarm& alarm) {
    return {idOf(alarm),
            std::string(toString(alarm.kind)),
            std::string(toString(alarm.severity)),
            alarm.subject,
            alarm.sentence,
            static_cast<std::uint64_t>(alarm.since.time_since_epoch().count())};
}

}  // namespace

void Alarms::load() {
    open_ = records_.alarms.open();
    for (const Alarm& alarm : open_) views_.put(viewOf(alarm));
}

seconds Alarms::distrustedFor(const ClockTrust& trust) {
    if (trust.trusted) {
        distrustedSince_.reset();
        return seconds(0);
    }
    if (!distrustedSince_) distrustedSince_ = clock_.sinceBoot();
    return std::chrono::floor<seconds>(clock_.sinceBoot() - *distrustedSince_);
}

Alarms::Look Alarms::look(const config::Settings& settings,
                          const std::vector<RevocationAlarmFacts>& revocations) {
    const ClockTrust trust = clock_.trust();
    AlarmFacts facts = alarmFacts(views_, settings.authority, trust, distrustedFor(trust));
    facts.revocations = revocations;
    AlarmVerdict verdict = judgeAlarms(facts, settings.alarms.rules, open_, clock_.now());
    std::vector<AlarmNotice> notices = noticesBetween(open_, verdict.alarms);
    return {std::move(verdict), std::move(notices)};
}

void Alarms::show(const Look& look) {
    open_ = look.verdict.alarms;
    for (const AlarmNotice& notice : look.notices)
        if (notice.event == AlarmEvent::cleared) views_.remove(Views::Kind::alarm, idOf(notice.alarm));
    for (const Alarm& alarm : open_) views_.put(viewOf(alarm));
}

void Alarms::record(const std::vector<AlarmNotice>& notices) {
    records_.alarms.record(notices);
    for (const AlarmNotice& notice : notices) write(notice);
}

void Alarms::write(const AlarmNotice& notice) {
    const bool cleared = notice.event == AlarmEvent::cleared;
    const bool critical = notice.alarm.severity == AlarmSeverity::critical;
    log_.write({cleared    ? Severity::notice
                : critical ? Severity::error
                           : Severity::warning,
                cleared ? event_id::alarmCleared : event_id::alarmRaised,
                "alarm: " + lineOf(notice),
                {{"CERTMGR_ALARM", std::string(toString(notice.alarm.kind))},
                 {"CERTMGR_EVENT", std::string(toString(notice.event))},
                 {"CERTMGR_SUBJECT", notice.alarm.subject}}});
}

void Alarms::tell() {
    const store::AlarmRepository::Untold untold = records_.alarms.untold(told_);
    if (untold.notices.empty()) return;
    // Before it is on record, and before the hook, which may have told some of them when it fails.
    told_ = untold.last;
    try {
        hook_.tell(untold.notices);
    } catch (const Error& error) {
        log_.write({Severity::warning,
                    event_id::alarmNotTold,
                    std::to_string(untold.notices.size()) +
                        " alarms or ends of alarms may not have been told: " + error.what(),
                    {{"CERTMGR_CODE", error.code()}}});
    }
    records_.alarms.told(untold.last);
}

}  // namespace certmgr::engine
