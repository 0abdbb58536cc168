// Certificate revocation lists (RFC 5280 5).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "certmgr/core/issued_certificate.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {

struct RevokedCertificate {
    std::string serial;  // lower-case hex, as in CertificateSummary
    Revocation revocation;
};

struct CrlTemplate {
    std::int64_t number = 1;  // RFC 5280 5.2.3: never goes down
    TimePoint thisUpdate;
    TimePoint nextUpdate;
    std::vector<RevokedCertificate> revoked;
};

// DER, signed, and the signature checked.
Bytes buildCrl(const CrlTemplate& crl, const X509& issuer, EVP_PKEY& issuerKey);
std::string crlToPem(const Bytes& der);
Bytes crlToDer(const std::string& pem);

}  // namespace certmgr::crypto
