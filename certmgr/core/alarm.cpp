#include "certmgr/core/alarm.h"

#include <algorithm>
#include <cctype>

namespace certmgr {
namespace {

template <class Value, std::size_t size>
std::optional<Value> valueNamed(const std::array<Value, size>& values, std::string_view text) noexcept {
    for (const Value value : values)
        if (toString(value) == text) return value;
    return std::nullopt;
}

const Alarm* sameIn(const std::vector<Alarm>& alarms, const Alarm& wanted) {
    const auto found = std::ranges::find_if(alarms, [&](const Alarm& alarm) {
        return alarm.kind == wanted.kind && alarm.subject == wanted.subject;
    });
    return found == alarms.end() ? nullptr : &*found;
}

}  // namespace

std::string_view toString(AlarmKind kind) noexcept {
    switch (kind) {
        case AlarmKind::expiring:
            return "expiring";
        case AlarmKind::failing:
            return "failing";
        case AlarmKind::notProved:
            return "not-proved";
        case AlarmKind::clockNotTrusted:
            return "clock-not-trusted";
        case AlarmKind::keyMisplaced:
            return "key-misplaced";
        case AlarmKind::authorityEnding:
            return "authority-ending";
        case AlarmKind::crlEnding:
            return "crl-ending";
    }
    return "";
}

std::optional<AlarmKind> alarmKindFrom(std::string_view text) noexcept {
    return valueNamed(allAlarmKinds, text);
}

std::string_view toString(AlarmSeverity severity) noexcept {
    return severity == AlarmSeverity::critical ? "critical" : "warning";
}

std::optional<AlarmSeverity> alarmSeverityFrom(std::string_view text) noexcept {
    return valueNamed(std::array{AlarmSeverity::warning, AlarmSeverity::critical}, text);
}

std::string_view toString(AlarmEvent event) noexcept {
    switch (event) {
        case AlarmEvent::raised:
            return "raised";
        case AlarmEvent::worsened:
            return "worsened";
        case AlarmEvent::cleared:
            return "cleared";
    }
    return "";
}

std::optional<AlarmEvent> alarmEventFrom(std::string_view text) noexcept {
    return valueNamed(std::array{AlarmEvent::raised, AlarmEvent::worsened, AlarmEvent::cleared}, text);
}

std::string idOf(const Alarm& alarm) {
    return std::string(toString(alarm.kind)) + ":" + alarm.subject;
}

std::string lineOf(const AlarmNotice& notice) {
    std::string word(notice.event == AlarmEvent::cleared ? toString(notice.event)
                                                         : toString(notice.alarm.severity));
    std::ranges::transform(word, word.begin(),
                           [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
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
