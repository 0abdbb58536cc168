#include "certmgr/core/reload_window.h"

namespace certmgr {
namespace {

using std::chrono::days;
using std::chrono::minutes;

std::optional<int> twoDigits(std::string_view text, int most) noexcept {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() != 2 || !digit(text[0]) || !digit(text[1])) return std::nullopt;
    const int value = (text[0] - '0') * 10 + (text[1] - '0');
    return value <= most ? std::optional(value) : std::nullopt;
}

std::optional<minutes> timeOfDay(std::string_view text) noexcept {
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    const auto hour = twoDigits(text.substr(0, 2), 23);
    const auto minute = twoDigits(text.substr(3), 59);
    if (!hour || !minute) return std::nullopt;
    return minutes(*hour * 60 + *minute);
}

TimePoint opening(const ReloadWindow& window, TimePoint now, seconds utcOffset) {
    const TimePoint local = now + utcOffset;
    const TimePoint midnight = std::chrono::floor<days>(local);
    const seconds time = local - midnight;
    const bool begun = window.from <= time;
    const bool open = window.from < window.to ? begun && time < window.to : begun || time < window.to;
    if (open) return now;
    return midnight + window.from + (begun ? days(1) : days(0)) - utcOffset;
}

}  // namespace

std::optional<ReloadWindow> reloadWindowFrom(std::string_view text) noexcept {
    if (text.size() != 11 || text[5] != '-') return std::nullopt;
    const auto from = timeOfDay(text.substr(0, 5));
    const auto to = timeOfDay(text.substr(6));
    if (!from || !to || from == to) return std::nullopt;
    return ReloadWindow{*from, *to};
}

TimePoint mayBringAt(const ReloadWindow& window, const std::optional<CertificateSummary>& served,
                     TimePoint now, seconds utcOffset) {
    if (!served || now < served->notBefore || now >= served->notAfter) return now;
    const TimePoint open = opening(window, now, utcOffset);
    return open < served->notAfter ? open : now;
}

}  // namespace certmgr
