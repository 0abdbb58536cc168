// Under which of the profiles that a CA offers an order is placed (draft-ietf-acme-profiles). Pure.
#pragma once

#include <string>
#include <vector>

#include "certmgr/core/certificate.h"

namespace certmgr::acme {

struct ProfileChoice {
    std::string profile;  // empty: none is named, the CA takes its own
    std::string reason;   // why not the one that is wanted; empty: it is that one
};

// 3: "clients MUST NOT request a profile name that is not advertised". One that is required and not offered
// is an Error(misconfigured, "profile-not-offered") that says which ones there are.
ProfileChoice chooseProfile(const AcmeProfile& wanted, const std::vector<std::string>& offered);

// The CA answered "invalidProfile", with these words, to a profile that it offers: of use to others, or not
// for these names.
ProfileChoice withoutRefusedProfile(const AcmeProfile& wanted, const std::vector<std::string>& offered,
                                    const std::string& words);

}  // namespace certmgr::acme
