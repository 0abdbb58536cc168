// The box's own CA: a root, and an issuing CA under it that signs the local leaves (features.md 5).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certmgr/core/authority_record.h"
#include "certmgr/core/certificate.h"
#include "certmgr/core/clock.h"
#include "certmgr/core/issued_certificate.h"
#include "certmgr/crypto/crl.h"
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
    crypto::DistinguishedName rootSubject = {};  // of the next root; empty: a name of the box's own
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

// `subject` under the key of `issuer`, both roots with their keys here; valid as long as both are. PEM.
CrossCertificate crossSign(hal::KeyStore& keys, const AuthorityRecord& subject, const AuthorityRecord& issuer,
                           TimePoint now);
// What a CA is asked for by another one: its own name below the organization, PEM.
std::string requestForIssuing(hal::KeyStore& keys, const AuthoritySettings& settings, const KeyId& key);

struct Crl {
    crypto::Bytes der;
    TimePoint thisUpdate;
    TimePoint nextUpdate;
};
Crl makeCrl(hal::KeyStore& keys, const AuthorityRecord& issuer, std::int64_t number,
            const std::vector<crypto::RevokedCertificate>& revoked, seconds lifetime, TimePoint now);

struct EndEntityRequest {
    std::string commonName;
    std::vector<AlternativeName> names;
    Purpose purpose = Purpose::client;
    seconds lifetime = std::chrono::hours(24 * 365);
};

struct SignedLeaf {
    std::string chainPem;  // the leaf, the issuing CA, then what stands above that short of a root
    CertificateSummary summary;
};

// A CA below `root` for a proxy that signs leaves itself, and with the proxy's own key: it can sign nothing
// but leaves, which verify as those of servers alone. It lives as long as an issuing CA. `upperChainPem`:
// goes into the chain behind it.
SignedLeaf signInspectionCa(hal::KeyStore& keys, const AuthoritySettings& settings,
                            const AuthorityRecord& root, const std::string& upperChainPem,
                            std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now);

// A signer with its key opened once: issuing a leaf costs one signature of the key store. Thread-safe.
class LeafSigner {
  public:
    // `upperChainPem`: goes into every chain, behind the issuing CA.
    LeafSigner(hal::KeyStore& keys, const AuthorityRecord& issuing, seconds leafLifetime,
               const std::string& upperChainPem = {});
    SignedLeaf sign(const std::vector<Identifier>& names,
                    std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now) const;
    // Error(misconfigured) "clock-behind" before the issuing CA's own notBefore.
    SignedLeaf sign(const EndEntityRequest& request, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                    TimePoint now) const;

  private:
    hal::Pkey key_;
    crypto::X509Ptr certificate_;
    std::string upperPem_;  // the issuing CA and what stands above it
    CertificateSummary summary_;
    seconds leafLifetime_;
};

}  // namespace certmgr::authority
