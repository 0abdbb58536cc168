#include "certmgr/acme/profile_choice.h"

#include <algorithm>

#include "certmgr/core/error.h"

namespace certmgr::acme {
namespace {

std::string listOf(const std::vector<std::string>& offered) {
    if (offered.empty()) return "it offers none";
    std::string text = "it offers ";
    for (const std::string& name : offered) text += (&name == &offered.front() ? "\"" : ", \"") + name + "\"";
    return text;
}

ProfileChoice without(const AcmeProfile& wanted, const std::string& why) {
    if (wanted.required)
        throw Error(ErrorKind::misconfigured, "profile-not-offered",
                    why +
                        "; the profile is required, so that nothing is ordered: name another one, or only "
                        "prefer it");
    return {"", why + "; ordered without a profile"};
}

}  // namespace

ProfileChoice chooseProfile(const AcmeProfile& wanted, const std::vector<std::string>& offered) {
    if (wanted.name.empty()) return {};
    if (std::ranges::find(offered, wanted.name) != offered.end()) return {wanted.name, ""};
    return without(wanted, "the CA has no profile \"" + wanted.name + "\": " + listOf(offered));
}

ProfileChoice withoutRefusedProfile(const AcmeProfile& wanted, const std::vector<std::string>& offered,
                                    const std::string& words) {
    return without(wanted,
                   "the CA refuses the profile \"" + wanted.name + "\" (" + words + "); " + listOf(offered));
}

}  // namespace certmgr::acme
