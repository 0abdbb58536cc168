// The text that stands in the place of a private key: where keyd listens, which key, and its public half.
//
// PEM label "CERTMGR KEY"; DER body:
//   KeyReference ::= SEQUENCE { socketPath UTF8String, keyId UTF8String, subjectPublicKeyInfo OCTET STRING }
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "hal/key_store.h"

namespace hal {

inline constexpr char keyReferenceLabel[] = "CERTMGR KEY";
// The octet string with that DER, for EVP_PKEY_fromdata with the provider's key management.
inline constexpr char keyReferenceParameter[] = "certmgr-key-reference";

struct KeyReference {
    std::string socketPath;  // absolute
    KeyId id;
    Bytes publicKey;  // DER SubjectPublicKeyInfo
};

Bytes toDer(const KeyReference& reference);
std::string toPem(const KeyReference& reference);

// Throw Error(rejected, "bad-reference") for anything else than exactly one reference.
KeyReference keyReferenceFromDer(std::span<const std::uint8_t> der);
KeyReference keyReferenceFromPem(std::string_view pem);

}  // namespace hal
