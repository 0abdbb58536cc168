// The time of day at which a service may be reloaded that turns clients away while it is.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "certmgr/core/certificate.h"

namespace certmgr {

// Since midnight, local time; `to` is no more part of it. It may go over midnight.
struct ReloadWindow {
    std::chrono::minutes from;
    std::chrono::minutes to;
    bool operator==(const ReloadWindow&) const = default;
};
std::optional<ReloadWindow> reloadWindowFrom(std::string_view text) noexcept;  // "02:00-04:00"

// When another certificate may be brought to the service: in the window, `now` included; but at once where
// nothing works there, or ends before the window opens. `served`: what it shows now; absent: nothing that is
// known to work. `utcOffset`: local time less UTC.
TimePoint mayBringAt(const ReloadWindow& window, const std::optional<CertificateSummary>& served,
                     TimePoint now, seconds utcOffset);

}  // namespace certmgr
