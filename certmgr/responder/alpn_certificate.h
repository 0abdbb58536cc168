// The certificate that answers a tls-alpn-01 challenge (RFC 8737 3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hal/handle.h"

namespace certmgr::responder {

// What certmgrd lays out for one name: two lines, "DNS:gw.example" or "IP:192.0.2.7", and the SHA-256 digest
// of the key authorization in hexadecimal.
struct AlpnAnswer {
    std::string alternativeName;
    std::string digest;
};
std::optional<AlpnAnswer> parseAlpnAnswer(std::string_view content);

// Self-signed, for that one name, with the digest as acmeIdentifier. Empty: OpenSSL has no memory.
hal::X509Ptr alpnCertificate(const AlpnAnswer& answer, EVP_PKEY& key) noexcept;

}  // namespace certmgr::responder
