#include "certmgr/core/alarm.h"

#include <algorithm>

#include "certmgr/core/ascii.h"
#include "hal/words.h"

namespace certmgr {
namespace {

constexpr hal::Words<AlarmKind, 9> kinds{{{AlarmKind::expiring, "expiring"},
                                          {AlarmKind::failing, "failing"},
                                          {AlarmKind::notProved, "not-proved"},
                                          {AlarmKind::clockNotTrusted, "clock-not-trusted"},
                                          {AlarmKind::keyMisplaced, "key-misplaced"},
                                          {AlarmKind::authorityEnding, "authority-ending"},
                                          {AlarmKind::crlEnding, "crl-ending"},
                                          {AlarmKind::revocationDue, "revocation-due"},
                                          {AlarmKind::persistRecordEnding, "persist-record-ending"}}};
constexpr hal::Words<AlarmSeverity, 2> severities{
    {{AlarmSeverity::warning, "warning"}, {AlarmSeverity::critical, "critical"}}};
constexpr hal::Words<AlarmEvent, 3> events{
    {{AlarmEvent::raised, "raised"}, {AlarmEvent::worsened, "worsened"}, {AlarmEvent::cleared, "cleared"}}};

const Alarm* sameIn(const std::vector<Alarm>& alarms, const Alarm& wanted) {
    const auto found = std::ranges::find_if(alarms, [&](const Alarm& alarm) {
        return alarm.kind == wanted.kind && alarm.subject == wanted.subject;
    });
    return found == alarms.end() ? nullptr : &*found;
}

}  // namespace

std::string_view toString(AlarmKind kind) noexcept {
    return hal::wordOf(kinds, kind);
}

std::optional<AlarmKind> alarmKindFrom(std::string_view text) noexcept {
    return hal::valueNamed(kinds, text);
}

std::string_view toString(AlarmSeverity severity) noexcept {
    return hal::wordOf(severities, severity);
}

std::optional<AlarmSeverity> alarmSeverityFrom(std::string_view text) noexcept {
    return hal::valueNamed(severities, text);
}

std::string_view toString(AlarmEvent event) noexcept {
    return hal::wordOf(events, event);
}

std::optional<AlarmEvent> alarmEventFrom(std::string_view text) noexcept {
    return hal::valueNamed(events, text);
}

std::string idOf(const Alarm& alarm) {
    return std::string(toString(alarm.kind)) + ":" + alarm.subject;
}

std::string lineOf(const AlarmNotice& notice) {
    std::string word(notice.event == AlarmEvent::cleared ? toString(notice.event)
                                                         : toString(notice.alarm.severity));
    for (char& letter : word) letter = raised(letter);
    return word + " " + std::string(toString(notice.alarm.kind)) + " " + notice.alarm.subject + ": " +
           notice.alarm.sentence;
}

std::vector<AlarmNotice> noticesBetween(const std::vector<Alarm>& before, const std::vector<Alarm>& now) {
    std::vector<AlarmNotice> notices;
    for (const Alarm& alarm : before)
        if (sameIn(now, alarm) == nullptr) notices.push_back({AlarmEvent::cleared, alarm});
    for (const Alarm& alarm : now) {
        const Alarm* const known = sameIn(before, alarm);
        if (known == nullptr)
            notices.push_back({AlarmEvent::raised, alarm});
        else if (known->severity < alarm.severity)
            notices.push_back({AlarmEvent::worsened, alarm});
    }
    return notices;
}

}  // namespace certmgr
