// Takes a certificate back at the CA that issued it (RFC 8555 7.6).
#pragma once

#include <stop_token>
#include <string>

#include "certmgr/acme/issue.h"
#include "certmgr/core/issued_certificate.h"

namespace certmgr::acme {

struct RevocationRequest {
    hal::Bytes certificate;  // DER
    RevocationReason reason = RevocationReason::unspecified;
    hal::Pkey key;  // of the certificate; null: it is not there any more
};

// Returns when the CA has revoked it, now or before. Asked for by the account, and where the CA takes that
// for no right to it, by the certificate's key; the other way round for a compromised key, since who signs
// with it proves that it is, and a CA may then take no request for that key any more. Errors as those of
// issue(), and misconfigured "no-revocation" where the CA offers none.
void revoke(Session& session, const RevocationRequest& request, const std::stop_token& stop);

}  // namespace certmgr::acme
