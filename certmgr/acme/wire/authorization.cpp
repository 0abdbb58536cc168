#include "certmgr/acme/wire/authorization.h"

#include "certmgr/acme/wire/identifier.h"
#include "certmgr/acme/wire/json.h"

namespace certmgr::acme::wire {
namespace {

AuthorizationStatus statusOf(const Object& object, const std::string& status) {
    if (status == "pending") return AuthorizationStatus::pending;
    if (status == "valid") return AuthorizationStatus::valid;
    for (const char* const useless : {"invalid", "deactivated", "expired", "revoked"})
        if (status == useless) return AuthorizationStatus::invalid;
    object.refuse("status \"" + plainWords(status) + "\" is unknown");
}

}  // namespace

Authorization parseAuthorization(std::string_view document) {
    const Object object = Object::parse(document, "the authorization");
    const std::optional<Object> identifier = object.optionalObject("identifier");
    if (!identifier) object.refuse("\"identifier\" is missing");
    Authorization authorization;
    authorization.statusText = object.text("status");
    authorization.status = statusOf(object, authorization.statusText);
    authorization.identifier = readIdentifier(*identifier);
    authorization.wildcard = object.flag("wildcard");
    for (const Object& entry : object.objects("challenges"))
        authorization.challenges.push_back(readChallenge(entry));
    return authorization;
}

}  // namespace certmgr::acme::wire
