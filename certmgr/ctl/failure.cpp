#include "certmgr/ctl/failure.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace certmgr::ctl {
namespace {

template <std::size_t size>
bool contains(const std::array<std::string_view, size>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 6> unreachable = {
    "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.NoReply",        "org.freedesktop.DBus.Error.Timeout",
    "org.freedesktop.DBus.Error.Disconnected",   "org.freedesktop.DBus.Error.FileNotFound"};
constexpr std::array<std::string_view, 3> denied = {
    "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
    "org.freedesktop.DBus.Error.LimitsExceeded"};
constexpr std::array<std::string_view, 2> notFound = {"org.freedesktop.DBus.Error.UnknownObject",
                                                      "org.freedesktop.DBus.Error.UnknownMethod"};

}  // namespace

ExitStatus statusForBusError(const std::string& name) {
    if (contains(unreachable, name) || name.starts_with("org.freedesktop.DBus.Error.Spawn."))
        return ExitStatus::unreachable;
    if (contains(denied, name)) return ExitStatus::denied;
    if (contains(notFound, name)) return ExitStatus::notFound;
    if (!name.starts_with("org.certmgr1.Error.")) return ExitStatus::failed;
    return name.ends_with("NotFound") ? ExitStatus::notFound : ExitStatus::refused;
}

ExitStatus statusForJobError(const std::string& kind, const std::string& code) {
    if (code.ends_with("not-found")) return ExitStatus::notFound;
    return kind == "rejected" ? ExitStatus::refused : ExitStatus::failed;
}

}  // namespace certmgr::ctl
