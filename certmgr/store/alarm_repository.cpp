#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

template <class Value>
Value wordOf(std::optional<Value> (*from)(std::string_view) noexcept, const std::string& word) {
    return valueOf(from(word), word);
}

#define CERTMGR_ALARM_COLUMNS "kind, subject, severity, sentence, since"

Alarm alarmOf(Query& query) {
    Alarm alarm;
    alarm.kind = wordOf(alarmKindFrom, query.text());
    alarm.subject = query.text();
    alarm.severity = wordOf(alarmSeverityFrom, query.text());
    alarm.sentence = query.text();
    alarm.since = query.time();
    return alarm;
}

}  // namespace

std::vector<Alarm> AlarmRepository::open() {
    std::vector<Alarm> alarms;
    Query query(database_, "SELECT " CERTMGR_ALARM_COLUMNS " FROM alarms ORDER BY kind, subject");
    while (query.next()) alarms.push_back(alarmOf(query));
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

AlarmRepository::Untold AlarmRepository::untold() {
    Untold untold;
    Query query(database_,
                "SELECT number, event, " CERTMGR_ALARM_COLUMNS " FROM alarm_notices ORDER BY number");
    while (query.next()) {
        untold.last = query.integer();
        const AlarmEvent event = wordOf(alarmEventFrom, query.text());
        untold.notices.push_back({event, alarmOf(query)});
    }
    return untold;
}

void AlarmRepository::told(std::int64_t last) {
    Query(database_, "DELETE FROM alarm_notices WHERE number <= ?", last).run();
}

}  // namespace certmgr::store
