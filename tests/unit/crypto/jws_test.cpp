#include "certmgr/crypto/jws.h"

#include <span>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

#include "hal/error.h"
#include "hal/handle.h"

namespace certmgr::crypto {
namespace {

using nlohmann::json;
using ParamBuilder = hal::Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Params = hal::Handle<OSSL_PARAM, OSSL_PARAM_free>;

hal::BigNumber number(const std::string& text) {
    const std::string bytes = base64urlDecode(text).value();
    return hal::BigNumber(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                    static_cast<int>(bytes.size()), nullptr));
}

hal::Pkey keyFrom(const char* type, const OSSL_PARAM_BLD& builder) {
    const Params params(OSSL_PARAM_BLD_to_param(const_cast<OSSL_PARAM_BLD*>(&builder)));
    const hal::PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    EVP_PKEY_fromdata_init(context.get());
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get());
    return hal::Pkey(key);
}

// RFC 7638 3.1
constexpr const char* rfc7638Modulus =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
    "BJECPebWKRXjBZCiFV4n3oknjhMst"
    "n64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
    "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1"
    "n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
    "kEgU8awapJzKnqDKgw";

TEST(Jwk, HasTheThumbprintOfRfc7638) {
    const hal::BigNumber n = number(rfc7638Modulus);
    const hal::BigNumber e = number("AQAB");
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
    const hal::Pkey key = keyFrom("RSA", *builder);
    EXPECT_EQ(jwk(*key), std::string(R"({"e":"AQAB","kty":"RSA","n":")") + rfc7638Modulus + "\"}");
    EXPECT_EQ(jwkThumbprint(*key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

// RFC 7515 A.3.1
hal::Pkey keyOfRfc7515() {
    const std::string x = base64urlDecode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").value();
    const std::string y = base64urlDecode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").value();
    const std::string point = "\x04" + x + y;
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
    return keyFrom("EC", *builder);
}

TEST(Jwk, HasTheCoordinatesOfRfc7515) {
    EXPECT_EQ(jwk(*keyOfRfc7515()),
              R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
              R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
}

// Checks a signature of RFC 7518 3.3 and 3.4 with OpenSSL alone.
bool verifies(EVP_PKEY& key, const EVP_MD* digest, const json& jws, bool ec) {
    const std::string input =
        jws.at("protected").get<std::string>() + "." + jws.at("payload").get<std::string>();
    const std::string raw = base64urlDecode(jws.at("signature").get<std::string>()).value();
    std::vector<unsigned char> signature(raw.begin(), raw.end());
    if (ec) {
        const hal::Handle<ECDSA_SIG, ECDSA_SIG_free> parts(ECDSA_SIG_new());
        const int half = static_cast<int>(raw.size() / 2);
        ECDSA_SIG_set0(parts.get(), BN_bin2bn(signature.data(), half, nullptr),
                       BN_bin2bn(signature.data() + half, half, nullptr));
        unsigned char* der = nullptr;
        const int size = i2d_ECDSA_SIG(parts.get(), &der);
        signature.assign(der, der + size);
        OPENSSL_free(der);
    }
    const hal::MdContext context(EVP_MD_CTX_new());
    return EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, &key) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                            reinterpret_cast<const unsigned char*>(input.data()), input.size()) == 1;
}

struct Kind {
    hal::Pkey key;
    const char* algorithm;
    const EVP_MD* digest;
    bool ec;
};

TEST(Jws, IsSignedAsRfc7518Says) {
    const Kind kinds[] = {{hal::Pkey(EVP_EC_gen("P-256")), "ES256", EVP_sha256(), true},
                          {hal::Pkey(EVP_EC_gen("P-384")), "ES384", EVP_sha384(), true},
                          {hal::Pkey(EVP_RSA_gen(2048)), "RS256", EVP_sha256(), false}};
    for (const Kind& kind : kinds) {
        // Often enough for an R or S with leading zeros to turn up.
        for (int i = 0; i < (kind.ec ? 600 : 2); ++i) {
            const json jws =
                json::parse(signJws(*kind.key, {"https://ca/x", "nonce", std::nullopt}, "payload"));
            ASSERT_TRUE(verifies(*kind.key, kind.digest, jws, kind.ec)) << kind.algorithm;
            const json header = json::parse(base64urlDecode(jws.at("protected").get<std::string>()).value());
            EXPECT_EQ(header.at("alg"), kind.algorithm);
            EXPECT_EQ(header.at("jwk"), json::parse(jwk(*kind.key)));
        }
    }
}

TEST(Jws, CarriesEitherTheKeyOrItsName) {
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const json jws = json::parse(signJws(*key, {"https://ca/x", "nonce", "https://ca/account/1"}, ""));
    EXPECT_EQ(jws.at("payload"), "");  // POST-as-GET
    EXPECT_EQ(json::parse(base64urlDecode(jws.at("protected").get<std::string>()).value()),
              json({{"alg", "ES256"},
                    {"kid", "https://ca/account/1"},
                    {"nonce", "nonce"},
                    {"url", "https://ca/x"}}));
}

TEST(Jws, RefusesKeysThatAcmeDoesNotKnow) {
    const hal::Pkey key(EVP_EC_gen("P-521"));
    EXPECT_THROW(signJws(*key, {"https://ca/x", "nonce", std::nullopt}, ""), hal::Error);
}

// RFC 4648 10, without the padding
TEST(Base64url, HasTheVectorsOfRfc4648) {
    const std::pair<const char*, const char*> vectors[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(base64url(bytes), text);
        EXPECT_EQ(base64urlDecode(text), bytes);
    }
    for (const char* const wrong : {"Z", "Zh", "Zg==", "Zm9+", "Zm 9"})
        EXPECT_EQ(base64urlDecode(wrong), std::nullopt);
}

// The value was made by Python: hmac.new(b"secret", b"PROTECTED.PAYLOAD", "sha256").
TEST(Jws, WithASecretIsHs256WithoutNonce) {
    const json jws = json::parse(
        signJwsWithSecret("secret", {"https://ca.example/new-acct", "", "kid-1"}, R"({"kty":"EC"})"));
    EXPECT_EQ(base64urlDecode(jws.at("protected").get<std::string>()),
              R"({"alg":"HS256","kid":"kid-1","url":"https://ca.example/new-acct"})");
    EXPECT_EQ(base64urlDecode(jws.at("payload").get<std::string>()), R"({"kty":"EC"})");
    EXPECT_EQ(jws.at("signature"), "iP1eK9RgLujQ3dfIaudR0mFWZxHXUD_wosSlAEyo9o4");
}

}  // namespace
}  // namespace certmgr::crypto
