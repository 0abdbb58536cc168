// RFC 9773 4.2
#pragma once

#include <string>
#include <string_view>

#include "certmgr/core/renewal_info.h"

namespace certmgr::acme::wire {

struct RenewalInfo {
    RenewalWindow window;
    std::string explanationUrl;  // https; empty: none
};

// Error(misconfigured, "not-acme") also for a window that does not end after it begins: that is no answer.
RenewalInfo parseRenewalInfo(std::string_view document);

}  // namespace certmgr::acme::wire
