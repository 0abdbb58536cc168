#include "certmgr/engine/suggested_renewal.h"

#include <algorithm>

namespace certmgr::engine {

std::optional<TimePoint> suggestedRenewal(Records& records, const Credential& credential) {
    if (credential.source != Source::acme) return std::nullopt;
    const std::optional<RenewalInfo> info = records.renewals.find(credential.generation);
    if (!info || !info->window) return std::nullopt;
    const std::vector<Credential> history = records.credentials.history(credential.certificate);
    const bool renewed = std::ranges::any_of(history, [&](const Credential& one) {
        return one.source == Source::acme && one.generation < credential.generation;
    });
    if (!renewed) return info->renewAt;
    return std::max(info->renewAt, credential.leaf.notBefore + std::chrono::hours(24));
}

}  // namespace certmgr::engine
