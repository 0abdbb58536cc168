#include "hal/error.h"

#include <cerrno>
#include <system_error>

namespace hal {

std::string_view toString(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::transient:
            return "transient";
        case ErrorKind::rateLimited:
            return "rate-limited";
        case ErrorKind::rejected:
            return "rejected";
        case ErrorKind::misconfigured:
            return "misconfigured";
        case ErrorKind::internal:
            return "internal";
    }
    return "internal";
}

Error::Error(ErrorKind kind, std::string code, std::string message)
    : kind_(kind), code_(std::move(code)), message_(std::move(message)) {}

Error& Error::within(std::string_view context) {
    message_.insert(0, ": ").insert(0, context);
    return *this;
}

Error& Error::retryAt(std::chrono::sys_seconds when) {
    retryAt_ = when;
    return *this;
}

Error& Error::problem(std::string document) {
    problem_ = std::move(document);
    return *this;
}

void throwErrno(int errnum, std::string_view what) {
    const bool full = errnum == ENOSPC || errnum == EDQUOT;
    const std::string sentence = std::string(what) + ": " + std::generic_category().message(errnum);
    throw Error(ErrorKind::internal, full ? "disk-full" : "system-call-failed", sentence);
}

}  // namespace hal
