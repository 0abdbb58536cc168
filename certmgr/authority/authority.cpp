#include "certmgr/authority/authority.h"

#include <algorithm>

#include "certmgr/crypto/csr.h"
#include "certmgr/crypto/digest.h"

namespace certmgr::authority {
namespace {

constexpr seconds backdating = std::chrono::hours(1);  // for clients whose clock is behind

struct Validity {
    TimePoint notBefore;
    TimePoint notAfter;
};

// RFC 5280 4.1.2.5: both ends belong to the validity, hence the second less.
Validity validityFor(TimePoint now, seconds lifetime) {
    const TimePoint notBefore = now - backdating;
    return {notBefore, notBefore + lifetime - seconds(1)};
}

Validity within(const Validity& wanted, const CertificateSummary& issuer, TimePoint now) {
    if (now > issuer.notAfter)
        throw Error(ErrorKind::misconfigured, "authority-expired",
                    "\"" + issuer.subject + "\" expired at " + formatTime(issuer.notAfter) +
                        " and can sign nothing now (" + formatTime(now) +
                        "): make a new one, or set the clock");
    return {std::max(wanted.notBefore, issuer.notBefore), std::min(wanted.notAfter, issuer.notAfter)};
}

// A crash after the key was made and before the certificate was stored: the key with the intended id is used.
hal::KeyInfo keyFor(hal::KeyStore& keys, const KeyId& id, hal::KeyAlgorithm algorithm, hal::KeyPolicy policy,
                    const std::string& label) {
    if (auto existing = keys.find(id)) return *std::move(existing);
    return keys.make({.id = id, .algorithm = algorithm, .policy = policy, .access = {}, .label = label});
}

// Four octets of the key's hash make the subject this box's own: two boxes' roots in one trust store stay
// apart.
std::string nameFor(std::string_view what, std::span<const std::uint8_t> publicKey) {
    return std::string(what) + " " + crypto::sha256Hex(publicKey).substr(0, 8);
}

// A root and what is below it share all of the name but the CN.
crypto::DistinguishedName subjectBelow(const X509& root, const std::string& commonName) {
    crypto::DistinguishedName subject = crypto::subjectOf(*X509_get_subject_name(&root));
    std::erase_if(subject, [](const crypto::NameAttribute& one) { return one.type == "CN"; });
    subject.push_back({"CN", commonName});
    return subject;
}

crypto::X509Ptr certificateOf(const AuthorityRecord& authority) {
    std::vector<crypto::X509Ptr> chain = crypto::parseChainPem(authority.certificatePem);
    return std::move(chain.front());
}

// What was stored must still be one pair: a record restored beside another box's keys is found before it
// signs.
void requireKey(hal::KeyStore& keys, const AuthorityRecord& authority, const X509& certificate) {
    const std::optional<hal::KeyInfo> key = keys.find(authority.key);
    if (!key)
        throw Error(
            ErrorKind::misconfigured, "key-not-found",
            "the key of " + authority.id + " is not in the key store: restore it, or make a new authority");
    if (!crypto::keyMatches(certificate, key->publicKey))
        throw Error(ErrorKind::misconfigured, "key-mismatch",
                    "the key of " + authority.id + " in the key store does not belong to its certificate \"" +
                        authority.summary.subject + "\": restore the right one, or make a new authority");
}

}  // namespace

AuthorityRecord makeRoot(hal::KeyStore& keys, const AuthoritySettings& settings, const std::string& id,
                         const KeyId& key, TimePoint now) {
    const hal::KeyInfo info =
        keyFor(keys, key, settings.rootKeyAlgorithm, settings.rootKeyPolicy, "certmgr root CA " + id);
    const hal::Pkey signer = keys.open(key);
    const auto [notBefore, notAfter] = validityFor(now, settings.rootLifetime);
    const crypto::X509Ptr certificate =
        crypto::buildCa({.commonName = nameFor("certmgr root CA", info.publicKey),
                         .organization = settings.organization,
                         .notBefore = notBefore,
                         .notAfter = notAfter,
                         .pathLength = std::nullopt,
                         .subject = settings.rootSubject},
                        info.publicKey, nullptr, *signer);
    return {.id = id,
            .role = AuthorityRole::root,
            .key = key,
            .certificatePem = crypto::toPem(*certificate),
            .parent = {},
            .summary = crypto::summarize(*certificate)};
}

AuthorityRecord makeIssuing(hal::KeyStore& keys, const AuthoritySettings& settings, const std::string& id,
                            const KeyId& key, const AuthorityRecord& root, TimePoint now) {
    const crypto::X509Ptr issuer = certificateOf(root);
    requireKey(keys, root, *issuer);
    const auto [notBefore, notAfter] =
        within(validityFor(now, settings.issuingLifetime), crypto::summarize(*issuer), now);
    const hal::KeyInfo info = keyFor(keys, key, settings.issuingKeyAlgorithm, settings.issuingKeyPolicy,
                                     "certmgr issuing CA " + id);
    const hal::Pkey signer = keys.open(root.key);
    const crypto::X509Ptr certificate =
        crypto::buildCa({.commonName = {},
                         .organization = {},
                         .notBefore = notBefore,
                         .notAfter = notAfter,
                         .pathLength = 0,
                         .subject = subjectBelow(*issuer, nameFor("certmgr issuing CA", info.publicKey))},
                        info.publicKey, issuer.get(), *signer);
    return {.id = id,
            .role = AuthorityRole::issuing,
            .key = key,
            .certificatePem = crypto::toPem(*certificate),
            .parent = root.id,
            .summary = crypto::summarize(*certificate)};
}

CrossCertificate crossSign(hal::KeyStore& keys, const AuthorityRecord& subject, const AuthorityRecord& issuer,
                           TimePoint now) {
    const crypto::X509Ptr from = certificateOf(issuer);
    requireKey(keys, issuer, *from);
    const Validity validity =
        within({subject.summary.notBefore, subject.summary.notAfter}, issuer.summary, now);
    const hal::Pkey signer = keys.open(issuer.key);
    const crypto::X509Ptr cross = crypto::buildCrossCertificate(*certificateOf(subject), validity.notBefore,
                                                                validity.notAfter, *from, *signer);
    return {subject.id, issuer.id, crypto::toPem(*cross), validity.notAfter};
}

std::string requestForIssuing(hal::KeyStore& keys, const AuthoritySettings& settings, const KeyId& key) {
    const hal::KeyInfo info =
        keyFor(keys, key, settings.issuingKeyAlgorithm, settings.issuingKeyPolicy, "certmgr issuing CA");
    const hal::Pkey handle = keys.open(key);
    return crypto::csrToPem(crypto::buildCaCsr(
        *handle, {{"O", settings.organization}, {"CN", nameFor("certmgr issuing CA", info.publicKey)}}));
}

Crl makeCrl(hal::KeyStore& keys, const AuthorityRecord& issuer, std::int64_t number,
            const std::vector<crypto::RevokedCertificate>& revoked, seconds lifetime, TimePoint now) {
    const crypto::X509Ptr certificate = certificateOf(issuer);
    requireKey(keys, issuer, *certificate);
    const hal::Pkey signer = keys.open(issuer.key);
    const TimePoint thisUpdate = std::max(now - backdating, issuer.summary.notBefore);
    const TimePoint nextUpdate = now + lifetime;
    return {crypto::buildCrl({number, thisUpdate, nextUpdate, revoked}, *certificate, *signer), thisUpdate,
            nextUpdate};
}

SignedLeaf signInspectionCa(hal::KeyStore& keys, const AuthoritySettings& settings,
                            const AuthorityRecord& root, const std::string& upperChainPem,
                            std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now) {
    const crypto::X509Ptr issuer = certificateOf(root);
    requireKey(keys, root, *issuer);
    const auto [notBefore, notAfter] = within(validityFor(now, settings.issuingLifetime), root.summary, now);
    const hal::Pkey signer = keys.open(root.key);
    const std::string name = nameFor("certmgr inspection CA", subjectPublicKeyInfoDer);
    const crypto::X509Ptr certificate = crypto::buildCa({.commonName = {},
                                                         .organization = {},
                                                         .notBefore = notBefore,
                                                         .notAfter = notAfter,
                                                         .pathLength = 0,
                                                         .subject = subjectBelow(*issuer, name),
                                                         .serversOnly = true},
                                                        subjectPublicKeyInfoDer, issuer.get(), *signer);
    return {crypto::toPem(*certificate) + upperChainPem, crypto::summarize(*certificate)};
}

LeafSigner::LeafSigner(hal::KeyStore& keys, const AuthorityRecord& issuing, seconds leafLifetime,
                       const std::string& upperChainPem)
    : certificate_(certificateOf(issuing)),
      upperPem_(crypto::toPem(*certificate_) + upperChainPem),
      summary_(crypto::summarize(*certificate_)),
      leafLifetime_(leafLifetime) {
    requireKey(keys, issuing, *certificate_);
    key_ = keys.open(issuing.key);
}

SignedLeaf LeafSigner::sign(const std::vector<Identifier>& names,
                            std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now) const {
    const auto [notBefore, notAfter] = within(validityFor(now, leafLifetime_), summary_, now);
    const crypto::X509Ptr leaf =
        crypto::buildServerLeaf({.names = names, .notBefore = notBefore, .notAfter = notAfter},
                                subjectPublicKeyInfoDer, *certificate_, *key_);
    return {crypto::toPem(*leaf) + upperPem_, crypto::summarize(*leaf)};
}

SignedLeaf LeafSigner::sign(const EndEntityRequest& request,
                            std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now) const {
    // What leaves the box is not signed anew when its clock is set right.
    if (now < summary_.notBefore)
        throw Error(ErrorKind::misconfigured, "clock-behind",
                    "the clock says " + formatTime(now) + ", but \"" + summary_.subject +
                        "\" is valid only from " + formatTime(summary_.notBefore) + ": set the clock first");
    const auto [notBefore, notAfter] = within(validityFor(now, request.lifetime), summary_, now);
    const crypto::X509Ptr leaf = crypto::buildLeaf({.commonName = request.commonName,
                                                    .names = request.names,
                                                    .purpose = request.purpose,
                                                    .notBefore = notBefore,
                                                    .notAfter = notAfter},
                                                   subjectPublicKeyInfoDer, *certificate_, *key_);
    return {crypto::toPem(*leaf) + upperPem_, crypto::summarize(*leaf)};
}

}  // namespace certmgr::authority
