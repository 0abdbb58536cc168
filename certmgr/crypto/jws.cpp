#include "certmgr/crypto/jws.h"

#include <algorithm>
#include <array>
#include <span>

#include <nlohmann/json.hpp>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "certmgr/core/error.h"
#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {
namespace {

using nlohmann::json;

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using EcdsaSignature = hal::Handle<ECDSA_SIG, ECDSA_SIG_free>;

struct Algorithm {
    std::string_view name;  // RFC 7518 3.1
    const EVP_MD* digest;
    int coordinateSize;  // 0: RSA
    std::string_view curve;
};

std::string_view view(std::span<const unsigned char> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const unsigned char* octets(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

Algorithm algorithmOf(const EVP_PKEY& key) {
    if (EVP_PKEY_is_a(&key, "RSA")) return {"RS256", EVP_sha256(), 0, ""};
    if (EVP_PKEY_is_a(&key, "EC") && EVP_PKEY_get_bits(&key) == 256)
        return {"ES256", EVP_sha256(), 32, "P-256"};
    if (EVP_PKEY_is_a(&key, "EC") && EVP_PKEY_get_bits(&key) == 384)
        return {"ES384", EVP_sha384(), 48, "P-384"};
    throw Error(ErrorKind::rejected, "not-supported",
                "an ACME account key is RSA, P-256 or P-384; this one is none of them");
}

// The key may live in another process: its provider answers for the public part by its SubjectPublicKeyInfo
// only.
hal::Pkey publicPart(const EVP_PKEY& key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(const_cast<EVP_PKEY*>(&key), &der);
    if (size <= 0) throwOpenSsl("i2d_PUBKEY");
    const unsigned char* cursor = der;
    hal::Pkey copy(d2i_PUBKEY_ex(nullptr, &cursor, size, nullptr, "provider=default"));
    OPENSSL_free(der);
    if (!copy) throwOpenSsl("d2i_PUBKEY_ex");
    return copy;
}

// RFC 7518 6.2.1.2: a coordinate is as long as the curve's field; RFC 7518 2: Base64urlUInt has no leading
// zero octets.
std::string number(const EVP_PKEY& key, const char* parameter, int size) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(&key, parameter, &raw) != 1) throwOpenSsl("EVP_PKEY_get_bn_param");
    const hal::BigNumber value(raw);
    std::string bytes(static_cast<std::size_t>(size ? size : BN_num_bytes(value.get())), '\0');
    if (BN_bn2binpad(value.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                     static_cast<int>(bytes.size())) < 0)
        throwOpenSsl("BN_bn2binpad");
    return base64url(bytes);
}

// RFC 7518 3.4: the signature is R and S side by side, not DER.
std::string joinedSignature(std::span<const unsigned char> der, int size) {
    const unsigned char* cursor = der.data();
    const EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
    if (!signature) throwOpenSsl("d2i_ECDSA_SIG");
    std::string joined(2 * static_cast<std::size_t>(size), '\0');
    auto* const out = reinterpret_cast<unsigned char*>(joined.data());
    if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, size) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + size, size) < 0)
        throwOpenSsl("BN_bn2binpad");
    return joined;
}

std::string sign(EVP_PKEY& key, const Algorithm& algorithm, std::string_view input) {
    const hal::MdContext context(EVP_MD_CTX_new());
    std::size_t size = 0;
    if (!context || EVP_DigestSignInit(context.get(), nullptr, algorithm.digest, nullptr, &key) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, octets(input), input.size()) != 1)
        throwOpenSsl("EVP_DigestSignInit");
    std::vector<unsigned char> signature(size);
    if (EVP_DigestSign(context.get(), signature.data(), &size, octets(input), input.size()) != 1)
        throwOpenSsl("EVP_DigestSign");
    signature.resize(size);
    return algorithm.coordinateSize ? joinedSignature(signature, algorithm.coordinateSize)
                                    : std::string(view(signature));
}

// RFC 7515 7.2.2
std::string flattened(const std::string& protectedHeader, const std::string& payload,
                      std::string_view signature) {
    return json{{"protected", protectedHeader}, {"payload", payload}, {"signature", base64url(signature)}}
        .dump();
}

}  // namespace

std::string base64url(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t pending = 0;
    int bits = 0;
    for (const char c : bytes) {
        pending = (pending << 8) | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6;) text += alphabet[(pending >> (bits -= 6)) & 63];
    }
    if (bits > 0) text += alphabet[(pending << (6 - bits)) & 63];
    return text;
}

std::optional<std::string> base64urlDecode(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    std::uint32_t pending = 0;
    int bits = 0;
    for (const char c : text) {
        const std::size_t value = alphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        pending = (pending << 6) | static_cast<std::uint32_t>(value);
        if ((bits += 6) >= 8) bytes += static_cast<char>((pending >> (bits -= 8)) & 255);
    }
    // RFC 4648 3.5: bits that are left over must be zero, or two texts would mean the same bytes.
    if (pending & ((1U << bits) - 1)) return std::nullopt;
    return bytes;
}

std::string jwk(const EVP_PKEY& key) {
    const Algorithm algorithm = algorithmOf(key);
    const hal::Pkey copy = publicPart(key);
    const int size = algorithm.coordinateSize;
    // nlohmann::json sorts its members, which is the order that RFC 7638 3.3 asks for.
    if (size == 0)
        return json{{"e", number(*copy, OSSL_PKEY_PARAM_RSA_E, 0)},
                    {"kty", "RSA"},
                    {"n", number(*copy, OSSL_PKEY_PARAM_RSA_N, 0)}}
            .dump();
    return json{{"crv", algorithm.curve},
                {"kty", "EC"},
                {"x", number(*copy, OSSL_PKEY_PARAM_EC_PUB_X, size)},
                {"y", number(*copy, OSSL_PKEY_PARAM_EC_PUB_Y, size)}}
        .dump();
}

std::string jwkThumbprint(const EVP_PKEY& key) {
    const std::string text = jwk(key);
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(octets(text), text.size(), digest.data());
    return base64url(view(digest));
}

std::string signJws(EVP_PKEY& key, const JwsHeader& header, std::string_view payload) {
    const Algorithm algorithm = algorithmOf(key);
    json fields{{"alg", algorithm.name}, {"url", header.url}};
    if (!header.nonce.empty()) fields["nonce"] = header.nonce;
    // RFC 8555 6.2: "jwk" and "kid" are mutually exclusive.
    if (header.kid)
        fields["kid"] = *header.kid;
    else
        fields["jwk"] = json::parse(jwk(key));
    const std::string protectedHeader = base64url(fields.dump());
    const std::string body = base64url(payload);
    return flattened(protectedHeader, body, sign(key, algorithm, protectedHeader + "." + body));
}

std::string signJwsWithSecret(std::string_view secret, const JwsHeader& header, std::string_view payload) {
    const json fields{{"alg", "HS256"}, {"kid", header.kid.value()}, {"url", header.url}};
    const std::string protectedHeader = base64url(fields.dump());
    const std::string body = base64url(payload);
    const std::string input = protectedHeader + "." + body;
    std::array<unsigned char, SHA256_DIGEST_LENGTH> code{};
    if (!HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), octets(input), input.size(),
              code.data(), nullptr))
        throwOpenSsl("HMAC");
    return flattened(protectedHeader, body, view(code));
}

}  // namespace certmgr::crypto
