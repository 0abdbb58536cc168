// Issues certificates of the box's own CA to others, and revokes them.
#pragma once

#include <string>
#include <string_view>

#include "certmgr/core/clock.h"
#include "certmgr/core/issued_certificate.h"
#include "certmgr/crypto/secret_text.h"
#include "certmgr/engine/local_ca.h"

namespace certmgr::engine {

// Thread-safe; runs on workers.
class Registrar {
  public:
    Registrar(KeyRing& keys, Records& records, LocalCa& ca, const Clock& clock, EventLog& log)
        : keys_(keys), records_(records), ca_(ca), clock_(clock), log_(log) {}

    struct Delivery {
        std::string serial;
        std::string chainPem;
    };
    // The key stays where the request was made. Common name and names of `wanted`, where it has any, take the
    // place of those in the request. Errors: those of crypto::readCsr; "bad-name" where there is no name.
    Delivery sign(std::string_view csr, authority::EndEntityRequest wanted);

    struct Bundle {
        std::string serial;
        crypto::SecretText content;
    };
    enum class Format { pkcs12, pem };
    // With a key that is made here, handed over in the bundle, and destroyed. A crash in between leaves
    // neither key nor bundle; the certificate, if it was signed, is listed.
    Bundle issue(const authority::EndEntityRequest& wanted, hal::KeyAlgorithm algorithm, Format format,
                 std::string_view passphrase);

    // "issued-not-found", "already-revoked" (rejected).
    void revoke(const std::string& serial, RevocationReason reason);

  private:
    Delivery record(const authority::EndEntityRequest& request,
                    std::span<const std::uint8_t> subjectPublicKeyInfoDer);

    KeyRing& keys_;
    Records& records_;
    LocalCa& ca_;
    const Clock& clock_;
    EventLog& log_;
};

}  // namespace certmgr::engine
