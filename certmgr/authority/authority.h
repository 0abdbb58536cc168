// The box's own CA: a root, and an issuing CA under it that signs the local leaves (features.md 5).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certmgr/core/authority_record.h"
#include "certmgr/core/certificate.h"
#include "certmgr/core/clock.h"
#include "certmgr/crypto/x509.h"
#include "hal/key_store.h"

namespace certmgr::authority {

struct AuthoritySettings {
    std::string organization = "certmgr";  // shown in subjects; the box's own name
    hal::KeyAlgorithm rootKeyAlgorithm = hal::KeyAlgorithm::ecP384;
    hal::KeyAlgorithm issuingKeyAlgorithm = hal::KeyAlgorithm::ecP256;
    hal::KeyPolicy rootKeyPolicy = hal::KeyPolicy::preferTpm;
    hal::KeyPolicy issuingKeyPolicy = hal::KeyPolicy::preferTpm;
    seconds rootLifetime = std::chrono::hours(24 * 3650);
    seconds issuingLifetime = std::chrono::hours(24 * 1825);
    seconds leafLifetime = std::chrono::hours(24 * 90);
};

// Makes certificates; keeps nothing. The caller stores the key id before (intent) and the record after.
// `notBefore` is an hour before `now`, but never before the issuer's own notBefore; notAfter never after the
// issuer's notAfter. The validity is counted from notBefore, both ends included. A key that is there already
// under the id (a crash came in between) is used. Throws Error(misconfigured): "authority-expired",
// "key-not-found", "key-mismatch", and what the store throws.
AuthorityRecord makeRoot(hal::KeyStore& keys, const AuthoritySettings& settings, const std::string& id,
                         const KeyId& key, TimePoint now);
AuthorityRecord makeIssuing(hal::KeyStore& keys, const AuthoritySettings& settings, const std::string& id,
                            const KeyId& key, const AuthorityRecord& root, TimePoint now);

struct SignedLeaf {
    std::string chainPem;  // the leaf, then the issuing CA
    CertificateSummary summary;
};

// A signer with its key opened once: issuing a leaf costs one signature of the key store. Thread-safe.
class LeafSigner {
  public:
    LeafSigner(hal::KeyStore& keys, const AuthorityRecord& issuing, seconds leafLifetime);
    SignedLeaf sign(const std::vector<Identifier>& names,
                    std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now) const;

  private:
    hal::Pkey key_;
    crypto::X509Ptr certificate_;
    std::string certificatePem_;
    CertificateSummary summary_;
    seconds leafLifetime_;
};

}  // namespace certmgr::authority
