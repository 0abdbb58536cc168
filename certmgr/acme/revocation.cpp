#include "certmgr/acme/revocation.h"

#include <functional>
#include <vector>

#include "certmgr/acme/response.h"
#include "certmgr/acme/session.h"
#include "certmgr/acme/wire/revocation.h"

namespace certmgr::acme {
namespace {

constexpr const char* revokeCert = "revokeCert";

std::string revocationResource(Session::Impl& ca, const std::stop_token& stop) {
    if (std::optional<std::string> url = ca.directory(stop).revokeCert) return *std::move(url);
    throw Error(ErrorKind::misconfigured, "no-revocation",
                "the directory of the CA names no revokeCert, so that it revokes nothing by ACME");
}

}  // namespace

void revoke(Session& session, const RevocationRequest& request, const std::stop_token& stop) {
    Session::Impl& ca = session.impl();
    const std::string payload = wire::revocationPayload(request.certificate, request.reason);
    std::vector<std::function<net::HttpResponse()>> ways{
        [&] { return ca.post(revocationResource(ca, stop), payload, revokeCert, stop); }};
    if (request.key) {
        const bool first = request.reason == RevocationReason::keyCompromise;
        ways.insert(first ? ways.begin() : ways.end(), [&] {
            return ca.postBy(*request.key, revocationResource(ca, stop), payload, revokeCert, stop);
        });
    }
    for (std::size_t way = 0; way < ways.size(); ++way) {
        try {
            return requireNonce(ways[way](), revokeCert);
        } catch (Error& error) {
            if (isProblem(error, "alreadyRevoked")) return;
            if (error.kind() == ErrorKind::rejected && way + 1 < ways.size()) continue;  // the other way
            if (error.problem().empty()) ca.forgetDirectory();
            error.within(ca.caName());
            throw;
        }
    }
}

}  // namespace certmgr::acme
