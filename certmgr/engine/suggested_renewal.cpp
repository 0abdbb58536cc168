#include "certmgr/engine/suggested_renewal.h"

#include <algorithm>

namespace certmgr::engine {

std::optional<TimePoint> suggestedRenewal(Records& records, const Credential& credential) {
    if (credential.source != Source::acme) return std::nullopt;
    const std::optional<RenewalInfo> info = records.renewals.find(credential.generation);
    if (!info || !info->window) return std::nullopt;
    TimePoint renewAt = info->renewAt;
    for (const Credential& earlier : records.credentials.history(credential.certificate))
        if (earlier.source == Source::acme && earlier.generation < credential.generation)
            renewAt = std::max(renewAt, earlier.leaf.notBefore + std::chrono::hours(24));
    return renewAt;
}

}  // namespace certmgr::engine
