#include "certmgr/acme/wire/challenge.h"

#include <algorithm>

#include "certmgr/core/challenge_kind.h"
#include "certmgr/core/challenge_token.h"
#include "certmgr/core/issue_value.h"

namespace certmgr::acme::wire {
namespace {

constexpr std::size_t mostIssuers = 10;

// "Clients MUST consider a challenge malformed if the issuer-domain-names array is empty or if it contains
// more than 10 entries, and MUST reject such challenges." The other challenges beside it are as good as ever.
void readPersist(const Object& object, Challenge& challenge) {
    challenge.issuers = object.texts("issuer-domain-names");
    challenge.account = object.optionalUrl("accounturi").value_or("");
    const std::size_t found = challenge.issuers.size();
    if (found == 0 || found > mostIssuers)
        challenge.flaw = "is offered with " + std::to_string(found) +
                         " issuer-domain-names, expected 1 to 10 (draft-ietf-acme-dns-persist-01)";
    else if (!std::ranges::all_of(challenge.issuers, isIssuerName))
        challenge.flaw = "is offered with issuer-domain-names that are no names in lower case";
}

}  // namespace

Challenge readChallenge(const Object& object) {
    Challenge challenge{object.text("type"), object.url("url"),
                        object.optionalText("status").value_or("pending"),
                        object.optionalText("token").value_or(""), ""};
    const std::optional<ChallengeKind> kind = challengeKindFrom(challenge.type);
    if (kind == ChallengeKind::dnsPersist01) readPersist(object, challenge);
    // RFC 8555 8.3 and 8.4, RFC 8737 3: only characters of base64url. The token becomes the name of a file.
    else if (kind && !isChallengeToken(challenge.token))
        object.refuse("the token of " + challenge.type + " is not base64url");
    if (const std::optional<Object> error = object.optionalObject("error")) challenge.problem = error->dump();
    return challenge;
}

}  // namespace certmgr::acme::wire
