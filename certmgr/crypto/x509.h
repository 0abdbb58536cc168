// Reading, checking and building X.509 (RFC 5280), CSRs (RFC 2986) and PEM (RFC 7468). Only OpenSSL below.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/certificate.h"
#include "certmgr/core/chain_choice.h"
#include "certmgr/core/error.h"
#include "certmgr/core/issued_certificate.h"
#include "certmgr/crypto/distinguished_name.h"

namespace certmgr::crypto {

using hal::Bytes;
using hal::X509Ptr;

// Throws Error(rejected) "bad-pem" (no certificate block found; says what was found instead) or
// "bad-certificate" (block n does not parse). Order is kept as found. At most 256 KiB and 20 certificates:
// "too-large".
std::vector<X509Ptr> parseChainPem(std::string_view pem);
// The first certificate of such a text; those behind it are not looked at. Throws as parseChainPem().
X509Ptr parseLeafPem(std::string_view pem);
// The SHA-256 of each certificate of a PEM text, in its order, as sha256Hex() gives it; empty where there is
// none. Nothing is parsed but the base64.
std::vector<std::string> chainSha256(std::string_view pem);

// The next ones decode no key, for which OpenSSL 3.0 takes more than ten times as long as for the rest of a
// certificate. They throw as parseChainPem(), but take a key of an unknown kind.

// What chooseChain() looks at, in the order of the text.
ChainLinks chainLinks(std::string_view pem);
CertificateSummary summarizeLeafPem(std::string_view pem);
// RFC 9773 4.1: by which a CA knows a certificate of its own. Absent where it names no key of its issuer.
std::optional<std::string> renewalIdOf(std::string_view leafPem);
// Where the octets differ both keys are decoded: one may be encoded in another way, as a compressed point.
bool keyMatches(std::string_view leafPem, std::span<const std::uint8_t> subjectPublicKeyInfoDer);

std::string toPem(const std::vector<X509Ptr>& chain);
std::string toPem(const X509& certificate);
Bytes toDer(const X509& certificate);

CertificateSummary summarize(const X509& certificate);
std::string sha256Hex(const X509& certificate);

// By name and signature; validity and constraints are not looked at.
bool issued(const X509& issuer, const X509& certificate);

bool keyMatches(const X509& leaf, std::span<const std::uint8_t> subjectPublicKeyInfoDer);

// SubjectPublicKeyInfo (RFC 5280 4.1.2.7), DER.
Bytes publicKeyInfoOf(EVP_PKEY& key);

// Leaf first, each next one the issuer of the one before; roots and repetitions are dropped, a self-signed
// server certificate stays. The issuer of the last one need not be there. Throws "chain-incomplete" naming
// the issuer that is missing between two certificates, or "chain-unrelated" naming the subject that does not
// fit.
std::vector<X509Ptr> orderChain(std::vector<X509Ptr> certificates);

// Verifies chain[0] for server use at time `now`, up to one of `anchors`; the rest of the chain are untrusted
// intermediates. OpenSSL with X509_V_FLAG_X509_STRICT at security level 2, and the rules of profile.h that it
// leaves out. Throws Error(rejected, "chain-invalid") with the reason and the subject at fault.
void verifyChain(const std::vector<X509Ptr>& chain, const std::vector<X509Ptr>& anchors, TimePoint now);

// DER of a PKCS#10 request with the names as subjectAltName and the first DNS name of at most 64 octets as
// CN. `key` signs it, and `subjectPublicKeyInfoDer` is its public part.
Bytes buildCsr(EVP_PKEY& key, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
               const std::vector<Identifier>& names);

// The same for a CA of ours below another one: CA:TRUE with a path length of 0, keyCertSign and cRLSign.
Bytes buildCaCsr(EVP_PKEY& key, const DistinguishedName& subject);

// What the built-in CA puts its name to.
struct LeafTemplate {
    std::vector<Identifier> names;
    TimePoint notBefore;
    TimePoint notAfter;
};
struct EndEntityTemplate {
    std::string commonName;              // may be empty: then the names are critical
    std::vector<AlternativeName> names;  // may be empty where there is a common name
    Purpose purpose = Purpose::server;   // serverAuth or clientAuth, never both (features.md 5)
    TimePoint notBefore;
    TimePoint notAfter;
};
struct CaTemplate {
    std::string commonName;
    std::string organization;  // may be empty
    TimePoint notBefore;
    TimePoint notAfter;
    std::optional<int> pathLength = 0;  // absent: no limit
    DistinguishedName subject = {};     // where given, in the place of commonName and organization
    bool serversOnly = false;           // what it signs is of no use to a client
};
// The subject's CN is the first DNS name of at most 64 octets, else the first address; without either the
// subject is empty and the subjectAltName critical. Serial: 20 octets, positive, 159 bits from the CSPRNG
// (CA/B BR 7.1 asks for 64). serverAuth only (features.md 5). The result is for writing out: its key is not
// decoded, so what is to be verified or compared has to be parsed again.
X509Ptr buildServerLeaf(const LeafTemplate& leaf, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                        const X509& issuer, EVP_PKEY& issuerKey);
X509Ptr buildLeaf(const EndEntityTemplate& leaf, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                  const X509& issuer, EVP_PKEY& issuerKey);
// issuer == nullptr: self-signed root.
X509Ptr buildCa(const CaTemplate& ca, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                const X509* issuer, EVP_PKEY& issuerKey);
// The name, key, key identifier and path length of `ca`, by another issuer: who trusts that one then trusts
// what `ca` signed.
X509Ptr buildCrossCertificate(const X509& ca, TimePoint notBefore, TimePoint notAfter, const X509& issuer,
                              EVP_PKEY& issuerKey);

}  // namespace certmgr::crypto
