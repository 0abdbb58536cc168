#include "certmgr/bus/errors.h"

#include "certmgr/bus/names.h"
#include "certmgr/bus/text.h"
#include "certmgr/core/ascii.h"

namespace certmgr::bus {

std::string errorName(hal::ErrorKind kind, std::string_view code) {
    std::string word;
    bool startsWord = true;
    for (const char c : code) {
        if (!isLetterOrDigit(c)) {
            startsWord = true;
            continue;
        }
        // D-Bus specification, "Interface names": an element must not begin with a digit.
        if (word.empty() && isDigit(c)) word = "E";
        word += startsWord ? raised(c) : c;
        startsWord = false;
    }
    return (kind == hal::ErrorKind::rejected ? refusalPrefix : failurePrefix) +
           (word.empty() ? "Failed" : word);
}

void replyWithErrors(sd_bus_message* call, const std::function<void()>& work) noexcept {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    if (reportErrors(&error, work) < 0) sd_bus_reply_method_error(call, &error);
    sd_bus_error_free(&error);
}

int reportErrors(sd_bus_error* error, const std::function<void()>& work) noexcept {
    try {
        work();
        return 0;
    } catch (const hal::Error& e) {
        return sd_bus_error_set(error, errorName(e.kind(), e.code()).c_str(), validText(e.what()).c_str());
    } catch (const std::exception& e) {
        return sd_bus_error_set(error, SD_BUS_ERROR_FAILED, validText(e.what()).c_str());
    }
}

}  // namespace certmgr::bus
