// The trust store of the box, as the programs on it read it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "certmgr/core/certificate.h"
#include "certmgr/core/error.h"

namespace certmgr::engine {

struct TrustAnchor {
    CertificateSummary summary;
    bool own = false;      // a root of the box's own CA
    bool expired = false;  // false on a clock that is not trusted
    bool operator==(const TrustAnchor&) const = default;
};

// Either the anchors, or what was wrong.
struct SystemTrust {
    std::vector<TrustAnchor> anchors;
    std::optional<Error> failure;
};
using SystemTrustReply = std::function<void(const SystemTrust&)>;

inline constexpr std::size_t largestSystemTrust = 2 * 1024 * 1024;
inline constexpr std::size_t mostTrustAnchors = 1000;

// The certificates of `file`, PEM, in its order; `ownPem`: the roots of the box's own CA; `now`: absent on a
// clock that is not trusted. No key is decoded, whatever its kind. Throws Error(misconfigured,
// "bad-trust-store") for a file that is absent, no regular file, larger than the two limits, cut off or
// damaged: it names the file and the number of the block.
std::vector<TrustAnchor> readSystemTrust(const std::filesystem::path& file, const std::string& ownPem,
                                         std::optional<TimePoint> now);

}  // namespace certmgr::engine
