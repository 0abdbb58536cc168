// The fields and extensions (RFC 5280 4.1 and 4.2) that everything which this box signs is put together from.
// For the files of this folder.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "certmgr/core/alternative_name.h"
#include "certmgr/core/clock.h"
#include "certmgr/crypto/openssl.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {

const EVP_MD* digestFor(const EVP_PKEY& key);

hal::ExtensionPtr alternativeNames(const std::vector<AlternativeName>& names, bool critical);

// Bit numbers of RFC 5280 4.2.1.3.
enum KeyUsageBit { digitalSignature = 0, keyEncipherment = 2, keyCertSign = 5, cRLSign = 6 };
BitStringPtr keyUsage(std::initializer_list<KeyUsageBit> bits);
BasicConstraintsPtr basicConstraints(bool ca, std::optional<int> pathLength);
AuthorityKeyIdPtr authorityKeyId(const X509& issuer);

void addExtension(X509& certificate, int nid, bool critical, void* value);
void addExtendedKeyUsage(X509& certificate, int purposeNid);
void addSubjectKeyId(X509& certificate);

// Both throw Error(rejected, "bad-key"). The first copies the octets, which is all that a leaf or a request
// needs. The second makes an EVP_PKEY of them too, for the certificate of an issuer; OpenSSL 3.0 needs as
// long for that as for a signature.
void setKeyInfo(X509_PUBKEY& target, std::span<const std::uint8_t> subjectPublicKeyInfoDer);
void setKey(X509& certificate, std::span<const std::uint8_t> subjectPublicKeyInfoDer);

// Version, serial, names and validity.
hal::X509Ptr beginCertificate(const X509_NAME& subject, const X509_NAME& issuer, TimePoint notBefore,
                              TimePoint notAfter);
// The signature is checked against the issuer's certificate: a store that signed with another key, or
// wrongly, is found here and not by the clients.
void signCertificate(X509& certificate, const X509& issuer, EVP_PKEY& issuerKey);

}  // namespace certmgr::crypto
