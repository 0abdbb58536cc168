// Asks a CA when it wants a certificate of its renewed (RFC 9773).
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "certmgr/acme/issue.h"
#include "certmgr/core/renewal_info.h"

namespace certmgr::acme {

struct RenewalAnswer {
    RenewalWindow window;
    std::string explanationUrl;  // empty: none
    std::optional<seconds> retryAfter;
};

// Absent: this CA gives no such information. `certificateId`: crypto::renewalIdOf(). `anew`: the directory is
// read again, for a CA that gave none may do so now. Errors as those of issue().
std::optional<RenewalAnswer> renewalInfo(Session& session, const std::string& certificateId, bool anew,
                                         const std::stop_token& stop);

}  // namespace certmgr::acme
