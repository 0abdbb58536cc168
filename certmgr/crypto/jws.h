// JSON Web Signature as ACME uses it: RFC 7515 flattened serialisation, RFC 7517/7638 keys, RFC 8555 6.2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <openssl/evp.h>

namespace certmgr::crypto {

std::string base64url(std::string_view bytes);  // RFC 4648 5, without padding
std::optional<std::string> base64urlDecode(std::string_view text);

// The JWK of the public part as compact JSON, members in the order of RFC 7638 3.2.
std::string jwk(const EVP_PKEY& key);
// base64url(SHA-256(jwk)), RFC 7638.
std::string jwkThumbprint(const EVP_PKEY& key);

struct JwsHeader {
    std::string url;
    std::string nonce;               // empty: none
    std::optional<std::string> kid;  // the account URL; absent: the JWK is embedded
};
// ES256, ES384 or RS256 by the key. `payload` empty: POST-as-GET (RFC 8555 6.3). Returns the JSON text to
// send.
std::string signJws(EVP_PKEY& key, const JwsHeader& header, std::string_view payload);

// HS256 with the octets of `secret`: what binds an account to one elsewhere (RFC 8555 7.3.4), where `header`
// names that by its kid and has no nonce.
std::string signJwsWithSecret(std::string_view secret, const JwsHeader& header, std::string_view payload);

}  // namespace certmgr::crypto
