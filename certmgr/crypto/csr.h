// A PKCS#10 request (RFC 2986) that somebody else made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/alternative_name.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {

struct CsrContents {
    Bytes publicKey;  // DER SubjectPublicKeyInfo
    std::string commonName;
    std::vector<AlternativeName>
        names;  // of the requested subjectAltName; all else that it asks for is ignored
};

// PEM or DER, at most 64 KiB. Throws Error(rejected): "bad-csr" (no request, or a name that is none),
// "bad-signature" (RFC 2986 4.2: whoever asks has to have the key), "weak-key" (RSA below 2048 bits, a curve
// other than P-256, P-384, P-521 and Ed25519), "too-large".
CsrContents readCsr(std::string_view text);
std::string csrToPem(const Bytes& der);

}  // namespace certmgr::crypto
