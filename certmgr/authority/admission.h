// The checks before somebody else's CA certificate becomes one of ours (features.md 4 and 5).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "certmgr/core/clock.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::authority {

// A CA that may sign here, and the CAs above it.
struct AdmittedCa {
    crypto::X509Ptr certificate;
    std::vector<crypto::X509Ptr> upper;  // each the issuer of the one before; a root comes last
    bool selfSigned = false;
};

// Throws Error(rejected): "bad-pem"; "authority-refused" with a line for each finding: not CA:TRUE, no
// keyCertSign, a weak key or signature, expired or not yet valid, a chain that does not build, a root whose
// path length leaves no room for the issuing CA; "key-mismatch" where the public key is another one.
AdmittedCa admitCa(std::string_view pem, std::span<const std::uint8_t> publicKey, TimePoint now);

}  // namespace certmgr::authority
