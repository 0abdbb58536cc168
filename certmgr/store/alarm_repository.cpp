#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

#define CERTMGR_ALARM_COLUMNS "kind, subject, severity, sentence, since"

// Absent: a release after this one, which was rolled back, knows more kinds. Theirs stay for it.
std::optional<Alarm> alarmOf(Query& query) {
    const auto kind = alarmKindFrom(query.text());
    Alarm alarm;
    alarm.subject = query.text();
    const auto severity = alarmSeverityFrom(query.text());
    alarm.sentence = query.text();
    alarm.since = query.time();
    if (!kind || !severity) return std::nullopt;
    alarm.kind = *kind;
    alarm.severity = *severity;
    return alarm;
}

}  // namespace

std::vector<Alarm> AlarmRepository::open() {
    std::vector<Alarm> alarms;
    Query query(database_, "SELECT " CERTMGR_ALARM_COLUMNS " FROM alarms ORDER BY kind, subject");
    while (query.next())
        if (auto alarm = alarmOf(query)) alarms.push_back(*std::move(alarm));
    return alarms;
}

void AlarmRepository::record(const std::vector<AlarmNotice>& notices) {
    database_.transaction([&] {
        for (const auto& [event, alarm] : notices) {
            if (event == AlarmEvent::cleared)
                Query(database_, "DELETE FROM alarms WHERE kind = ? AND subject = ?", toString(alarm.kind),
                      alarm.subject)
                    .run();
            else
                Query(database_,
                      "INSERT OR REPLACE INTO alarms (" CERTMGR_ALARM_COLUMNS ") VALUES (?, ?, ?, ?, ?)",
                      toString(alarm.kind), alarm.subject, toString(alarm.severity), alarm.sentence,
                      alarm.since)
                    .run();
            Query(database_,
                  "INSERT INTO alarm_notices (event, " CERTMGR_ALARM_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?)",
                  toString(event), toString(alarm.kind), alarm.subject, toString(alarm.severity),
                  alarm.sentence, alarm.since)
                .run();
        }
    });
}

AlarmRepository::Untold AlarmRepository::untold(std::int64_t after) {
    Untold untold;
    Query query(database_,
                "SELECT number, event, " CERTMGR_ALARM_COLUMNS
                " FROM alarm_notices WHERE number > ? ORDER BY number",
                after);
    while (query.next()) {
        untold.last = query.integer();
        const auto event = alarmEventFrom(query.text());
        auto alarm = alarmOf(query);
        if (event && alarm) untold.notices.push_back({*event, *std::move(alarm)});
    }
    return untold;
}

void AlarmRepository::told(std::int64_t last) {
    Query(database_, "DELETE FROM alarm_notices WHERE number <= ?", last).run();
}

}  // namespace certmgr::store
