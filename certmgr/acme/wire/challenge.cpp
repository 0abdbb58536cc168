#include "certmgr/acme/wire/challenge.h"

#include "certmgr/core/challenge_kind.h"
#include "certmgr/core/challenge_token.h"

namespace certmgr::acme::wire {

Challenge readChallenge(const Object& object) {
    Challenge challenge{object.text("type"), object.url("url"),
                        object.optionalText("status").value_or("pending"),
                        object.optionalText("token").value_or(""), ""};
    // RFC 8555 8.3 and 8.4, RFC 8737 3: only characters of base64url. The token becomes the name of a file.
    if (challengeKindFrom(challenge.type) && !isChallengeToken(challenge.token))
        object.refuse("the token of " + challenge.type + " is not base64url");
    if (const std::optional<Object> error = object.optionalObject("error")) challenge.problem = error->dump();
    return challenge;
}

}  // namespace certmgr::acme::wire
