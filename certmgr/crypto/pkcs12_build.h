// A key with its certificate and chain as one encrypted file (RFC 7292), for whoever cannot make a CSR.
#pragma once

#include <string_view>

#include "certmgr/crypto/secret_text.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {

// PBES2 with AES-256 and a MAC with SHA-256, which every system of the last ten years reads. `keyPem`:
// PKCS#8, not encrypted; `chain`: the leaf first; `passphrase`: at least one character, UTF-8.
SecretText buildPkcs12(std::string_view keyPem, const std::vector<X509Ptr>& chain, std::string_view name,
                       std::string_view passphrase);

}  // namespace certmgr::crypto
