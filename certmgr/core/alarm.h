// What a person should look at. Each alarm comes once, and its end too.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/clock.h"

namespace certmgr {

enum class AlarmKind {
    expiring,             // a certificate nears its end, and no other has taken its place
    failing,              // attempts at a certificate fail, one after the other
    notProved,            // a service does not serve what it should
    clockNotTrusted,      // nothing is judged by its dates, and nothing renewed
    keyMisplaced,         // a TPM was preferred and could have been used, and the key is a file
    authorityEnding,      // a CA of the box's own nears its end, and no other has taken its place
    crlEnding,            // the same of a revocation list
    revocationDue,        // a CA was to revoke a certificate, and has not done so for long
    persistRecordEnding,  // a record that proved a certificate is gone, or nears its end
};
inline constexpr std::array allAlarmKinds{
    AlarmKind::expiring,        AlarmKind::failing,       AlarmKind::notProved,
    AlarmKind::clockNotTrusted, AlarmKind::keyMisplaced,  AlarmKind::authorityEnding,
    AlarmKind::crlEnding,       AlarmKind::revocationDue, AlarmKind::persistRecordEnding};
std::string_view toString(AlarmKind kind) noexcept;  // "expiring", "not-proved", "clock-not-trusted", …
std::optional<AlarmKind> alarmKindFrom(std::string_view text) noexcept;

enum class AlarmSeverity { warning, critical };
std::string_view toString(AlarmSeverity severity) noexcept;
std::optional<AlarmSeverity> alarmSeverityFrom(std::string_view text) noexcept;

// At most one is open for a kind and a subject.
struct Alarm {
    AlarmKind kind = AlarmKind::expiring;
    AlarmSeverity severity = AlarmSeverity::warning;
    std::string subject;   // id of a certificate or authority, name of a service, or "clock"
    std::string sentence;  // what is wrong and what to do, one line
    TimePoint since;
    bool operator==(const Alarm&) const = default;
};

// "failing:gw.example": names an open alarm.
std::string idOf(const Alarm& alarm);

enum class AlarmEvent { raised, worsened, cleared };
std::string_view toString(AlarmEvent event) noexcept;
std::optional<AlarmEvent> alarmEventFrom(std::string_view text) noexcept;

// What there is to tell of an alarm.
struct AlarmNotice {
    AlarmEvent event = AlarmEvent::raised;
    Alarm alarm;
    bool operator==(const AlarmNotice&) const = default;
};

// "CRITICAL failing gw.example: …", "CLEARED failing gw.example: …".
std::string lineOf(const AlarmNotice& notice);

// What makes the alarms of `before` those of `now`. A sentence that changed is not worth telling.
std::vector<AlarmNotice> noticesBetween(const std::vector<Alarm>& before, const std::vector<Alarm>& now);

}  // namespace certmgr
