#include "certmgr/acme/wire/revocation.h"

#include "certmgr/acme/wire/json.h"
#include "certmgr/crypto/jws.h"

namespace certmgr::acme::wire {

std::string revocationPayload(std::span<const std::uint8_t> certificateDer, RevocationReason reason) {
    const std::string_view bytes(reinterpret_cast<const char*>(certificateDer.data()), certificateDer.size());
    return nlohmann::json{{"certificate", crypto::base64url(bytes)}, {"reason", static_cast<int>(reason)}}
        .dump();
}

}  // namespace certmgr::acme::wire
