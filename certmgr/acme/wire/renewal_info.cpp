#include "certmgr/acme/wire/renewal_info.h"

#include <cstdlib>
#include <ctime>

#include "certmgr/acme/wire/json.h"

namespace certmgr::acme::wire {
namespace {

// RFC 3339 5.6: "2025-01-02T04:00:00Z", also with a fraction, which is dropped, and with an offset.
std::optional<TimePoint> timeFrom(const std::string& text) {
    std::tm fields{};
    const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
    if (!rest) return std::nullopt;
    if (*rest == '.') do
            ++rest;
        while (*rest >= '0' && *rest <= '9');
    const std::string_view zone = rest;
    const TimePoint local{seconds(::timegm(&fields))};
    if (zone == "Z" || zone == "z") return local;
    std::tm offset{};
    const bool signedOffset = zone.size() == 6 && (zone.front() == '+' || zone.front() == '-');
    const char* const end = signedOffset ? ::strptime(rest + 1, "%H:%M", &offset) : nullptr;
    if (!end || *end != '\0') return std::nullopt;
    const seconds ahead = std::chrono::hours(offset.tm_hour) + std::chrono::minutes(offset.tm_min);
    return zone.front() == '+' ? local - ahead : local + ahead;
}

TimePoint timeOf(const Object& window, const char* member) {
    const std::string text = window.text(member);
    if (const std::optional<TimePoint> time = timeFrom(text)) return *time;
    window.refuse("\"" + std::string(member) + "\" is \"" + plainWords(text) +
                  "\": expected a time as in RFC 3339");
}

}  // namespace

RenewalInfo parseRenewalInfo(std::string_view document) {
    const Object object = Object::parse(document, "the renewal information");
    const std::optional<Object> window = object.optionalObject("suggestedWindow");
    if (!window) object.refuse("\"suggestedWindow\" is missing");
    RenewalInfo info{{timeOf(*window, "start"), timeOf(*window, "end")},
                     object.optionalText("explanationURL").value_or("")};
    if (!isHttpsUrl(info.explanationUrl)) info.explanationUrl.clear();
    // "clients MUST treat one as though they failed to receive any response from the server"
    if (info.window.end <= info.window.start) object.refuse("the window ends before it begins");
    return info;
}

}  // namespace certmgr::acme::wire
