#include "certmgr/acme/renewal_info.h"

#include "certmgr/acme/response.h"
#include "certmgr/acme/session.h"
#include "certmgr/acme/wire/renewal_info.h"

namespace certmgr::acme {

std::optional<RenewalAnswer> renewalInfo(Session& session, const std::string& certificateId, bool anew,
                                         const std::stop_token& stop) {
    Session::Impl& ca = session.impl();
    if (anew) ca.forgetDirectory();
    const std::optional<std::string> resource = ca.directory(stop).renewalInfo;
    if (!resource) return std::nullopt;
    net::HttpResponse response;
    try {
        response = ca.get(*resource + "/" + certificateId, stop);
        requireType(response, "application/json", "the renewal information");
    } catch (const Error& error) {
        if (error.problem().empty() || isRefusal(error)) ca.forgetDirectory();  // it may have moved
        throw;
    }
    const wire::RenewalInfo info = wire::parseRenewalInfo(response.body);
    return RenewalAnswer{info.window, info.explanationUrl, retryAfter(response, wallTime())};
}

}  // namespace certmgr::acme
