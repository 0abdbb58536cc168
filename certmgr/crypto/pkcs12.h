// PKCS#12 (RFC 7292), as browsers, Windows and company CAs hand out a key with its chain.
#pragma once

#include <string_view>

#include "certmgr/crypto/decryption.h"
#include "certmgr/crypto/upload_parts.h"

namespace certmgr::crypto {

// Is it one? Says nothing of whether it can be opened.
bool looksLikePkcs12(std::string_view der);

// Checks the integrity, then adds every certificate and key to `parts`. Throws Error(rejected): "bad-pkcs12",
// "passphrase-needed", "wrong-passphrase", "encryption-not-supported", "too-costly", "too-large".
void readPkcs12(std::string_view der, Decryption& decryption, UploadParts& parts);

}  // namespace certmgr::crypto
