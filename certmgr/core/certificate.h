// The values that the whole product speaks of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/clock.h"
#include "certmgr/core/identifier.h"
#include "hal/key_store.h"

namespace certmgr {

using hal::KeyId;

// Stable name of a managed certificate, in paths, on the bus and on the command line: the first of the sorted
// names, with "_" for the "*" of a wildcard. Where there are more names, or the name is too long for a
// directory entry, "+" and 8 hex digits of SHA-256 over all of them follow. Equal sets of names have equal
// ids: that is how two modules share one certificate.
using CertificateId = std::string;
CertificateId certificateIdFor(const std::vector<Identifier>& sortedNames);

// What a certificate is for.
enum class Usage {
    server,        // a service shows it to its clients
    inspectionCa,  // a proxy signs with it the leaves that it shows to its clients
};
std::string_view toString(Usage usage) noexcept;  // "server", "inspection-ca"
std::optional<Usage> usageFrom(std::string_view text) noexcept;

// Under which of the profiles that a CA offers a certificate is ordered: "shortlived" for one.
struct AcmeProfile {
    std::string name;       // empty: none is named, the CA takes its own
    bool required = false;  // where the CA does not offer it nothing is ordered; else without a profile
    bool operator==(const AcmeProfile&) const = default;
};
bool isAcmeProfileName(std::string_view text) noexcept;  // 1 to 64 visible ASCII characters

// What is wanted.
struct CertificateSpec {
    CertificateId id;
    std::vector<Identifier> names;  // sorted, at least one; an inspection CA is only called so
    hal::KeyAlgorithm keyAlgorithm = hal::KeyAlgorithm::ecP256;
    hal::KeyPolicy keyPolicy = hal::KeyPolicy::preferTpm;
    bool acme = true;                 // false: switched off for this certificate
    AcmeProfile acmeProfile = {};     // empty: that of the CA's settings
    std::string preferredChain = {};  // see ChainWish::preferred; empty: that of the CA's settings
    std::vector<std::string> users;   // service users that may sign with the key, from the profiles
    Usage usage = Usage::server;      // from the profiles alone: not stored
    bool operator==(const CertificateSpec&) const = default;
};

enum class Source { local, acme, uploaded };
std::string_view toString(Source source) noexcept;
std::optional<Source> sourceFrom(std::string_view text) noexcept;

// What a parsed certificate says of itself.
struct CertificateSummary {
    std::vector<Identifier> names;  // SAN dNSName and iPAddress, sorted; CN where there is no SAN
    std::string subject;            // RFC 4514 text
    std::string issuer;             // RFC 4514 text
    std::string serial;             // lower-case hex, no colons, leading "00" dropped
    std::string sha256;             // lower-case hex of the DER
    TimePoint notBefore;
    TimePoint notAfter;
    bool operator==(const CertificateSummary&) const = default;
};

// One issued certificate: key, leaf and chain, which only change together. The number is the generation:
// unique in the database, growing, and the name of the directory that it is deployed under.
struct Credential {
    std::int64_t generation = 0;  // 0: not stored yet
    CertificateId certificate;
    Source source = Source::local;
    KeyId key;
    std::string chainPem;  // leaf first, then the intermediates, without the root
    CertificateSummary leaf;
    std::string issuerId;  // local: the id of the CA that signed it; acme: name of the CA; uploaded: empty
    // Of `key`, as the store recorded it when the key was made; absent: not known.
    std::optional<hal::KeyAlgorithm> keyAlgorithm = std::nullopt;
    std::string acmeProfile = {};        // under which it was ordered; empty: none, or it is not known
    std::string acmeProfileReason = {};  // why not under the one that was wanted, for people
    std::string chainReason = {};        // why this chain of those that the CA gave, for people
};

}  // namespace certmgr
