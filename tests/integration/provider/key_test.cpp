// References as EVP_PKEYs: loading, comparing, writing, and what is no reference.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <openssl/store.h>

#include "hal/client/reference.h"
#include "tests/integration/provider/key_daemon.h"
#include "tests/integration/provider/openssl_service.h"

namespace provider_test {
namespace {

using hal::KeyAlgorithm;

// Both orders in which a service may have loaded the providers.
class ProviderKey : public testing::TestWithParam<OpensslService::Providers> {
  protected:
    OpensslService service_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(LoadOrder, ProviderKey,
                         testing::Values(OpensslService::Providers{"default", "certmgr"},
                                         OpensslService::Providers{"certmgr", "default"}),
                         [](const auto& order) { return order.param[0] + "First"; });

TEST_P(ProviderKey, LoadsEveryAlgorithmByReference) {
    const std::vector<std::tuple<KeyAlgorithm, const char*, int>> cases{{KeyAlgorithm::ecP256, "EC", 256},
                                                                        {KeyAlgorithm::ecP384, "EC", 384},
                                                                        {KeyAlgorithm::rsa2048, "RSA", 2048},
                                                                        {KeyAlgorithm::rsa3072, "RSA", 3072}};
    for (const auto& [algorithm, type, bits] : cases) {
        const hal::Pkey key = service_.load(KeyDaemon::shared().reference(algorithm));
        ASSERT_TRUE(key) << takeErrors();
        EXPECT_EQ(keeper(key), "certmgr");
        EXPECT_TRUE(EVP_PKEY_is_a(key.get(), type));
        EXPECT_EQ(EVP_PKEY_get_bits(key.get()), bits);
        EXPECT_EQ(EVP_PKEY_get_base_id(key.get()),
                  OBJ_txt2nid(type == std::string("EC") ? "id-ecPublicKey" : "rsaEncryption"));
    }
}

TEST_P(ProviderKey, LoadingLeavesNoErrorBehind) {
    ASSERT_TRUE(service_.load(KeyDaemon::shared().reference(KeyAlgorithm::ecP256)));
    EXPECT_EQ(takeErrors(), "");
}

TEST_P(ProviderKey, KnowsItsGroupAndModulusButNoSecret) {
    const hal::Pkey ec = service_.load(KeyDaemon::shared().reference(KeyAlgorithm::ecP256));
    char group[32] = "";
    EXPECT_EQ(EVP_PKEY_get_group_name(ec.get(), group, sizeof group, nullptr), 1);
    EXPECT_STREQ(group, "prime256v1");
    BIGNUM* secret = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(ec.get(), OSSL_PKEY_PARAM_PRIV_KEY, &secret), 0);

    const hal::Pkey rsa = service_.load(KeyDaemon::shared().reference(KeyAlgorithm::rsa2048));
    BIGNUM* number = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(rsa.get(), OSSL_PKEY_PARAM_RSA_N, &number), 1);
    EXPECT_EQ(BN_num_bits(hal::BigNumber(number).get()), 2048);
    EXPECT_EQ(EVP_PKEY_get_bn_param(rsa.get(), OSSL_PKEY_PARAM_RSA_D, &secret), 0);
    takeErrors();
}

TEST_P(ProviderKey, LoadsThroughTheStore) {
    const testing_support::TemporaryDirectory folder;
    testing_support::writeFile(folder / "key.pem", KeyDaemon::shared().reference(KeyAlgorithm::rsa2048));
    using Store = hal::Handle<OSSL_STORE_CTX, OSSL_STORE_close>;
    const Store store(OSSL_STORE_open_ex((folder / "key.pem").c_str(), service_.library(), nullptr, nullptr,
                                         nullptr, nullptr, nullptr, nullptr));
    ASSERT_TRUE(store);
    using Info = hal::Handle<OSSL_STORE_INFO, OSSL_STORE_INFO_free>;
    const Info info(OSSL_STORE_load(store.get()));
    ASSERT_TRUE(info) << takeErrors();
    const hal::Pkey key(OSSL_STORE_INFO_get1_PKEY(info.get()));
    ASSERT_TRUE(key) << takeErrors();
    EXPECT_EQ(keeper(key), "certmgr");
}

TEST_P(ProviderKey, LoadsThroughTheDecoderFromDer) {
    const hal::Bytes der =
        hal::toDer(hal::keyReferenceFromPem(KeyDaemon::shared().reference(KeyAlgorithm::ecP256)));
    EVP_PKEY* key = nullptr;
    using Decoder = hal::Handle<OSSL_DECODER_CTX, OSSL_DECODER_CTX_free>;
    const Decoder decoder(OSSL_DECODER_CTX_new_for_pkey(&key, "DER", nullptr, "EC", EVP_PKEY_KEYPAIR,
                                                        service_.library(), nullptr));
    const unsigned char* position = der.data();
    std::size_t size = der.size();
    ASSERT_EQ(OSSL_DECODER_from_data(decoder.get(), &position, &size), 1) << takeErrors();
    EXPECT_EQ(keeper(hal::Pkey(key)), "certmgr");
}

TEST_P(ProviderKey, LoadsFromBetweenOtherBlocksAndLeavesTheRest) {
    const std::string reference = KeyDaemon::shared().reference(KeyAlgorithm::ecP256);
    const hal::Pkey key = service_.load(reference);
    const std::string pem =
        selfSigned(service_, key, "a.example") + reference + selfSigned(service_, key, "b.example");
    const hal::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const hal::Pkey found(
        PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, nullptr, nullptr, service_.library(), nullptr));
    ASSERT_TRUE(found) << takeErrors();
    const hal::X509Ptr rest(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    ASSERT_TRUE(rest) << takeErrors();
    EXPECT_EQ(X509_check_host(rest.get(), "b.example", 0, 0, nullptr), 1);
}

TEST_P(ProviderKey, MatchesItsCertificateAndNoOther) {
    const hal::Pkey key = service_.load(KeyDaemon::shared().reference(KeyAlgorithm::ecP256));
    const hal::Pkey other = service_.load(KeyDaemon::shared().makeReference(KeyAlgorithm::ecP256));
    const std::string pem = selfSigned(service_, key, "a.example");
    const hal::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    X509* certificate = X509_new_ex(service_.library(), nullptr);
    PEM_read_bio_X509(bio.get(), &certificate, nullptr, nullptr);
    const hal::X509Ptr owner(certificate);
    EXPECT_EQ(X509_check_private_key(certificate, key.get()), 1) << takeErrors();
    EXPECT_EQ(X509_check_private_key(certificate, other.get()), 0);
    const hal::SslContext tls(SSL_CTX_new_ex(service_.library(), nullptr, TLS_server_method()));
    EXPECT_EQ(SSL_CTX_use_certificate(tls.get(), certificate), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(tls.get(), key.get()), 1) << takeErrors();
    EXPECT_EQ(SSL_CTX_use_PrivateKey(tls.get(), other.get()), 0);
    takeErrors();
}

TEST_P(ProviderKey, EqualsItsPublicHalfBothWays) {
    for (const auto algorithm : {KeyAlgorithm::ecP256, KeyAlgorithm::rsa2048}) {
        const hal::Pkey key = service_.load(KeyDaemon::shared().reference(algorithm));
        const hal::Pkey half = publicHalf(key);
        EXPECT_EQ(EVP_PKEY_eq(key.get(), half.get()), 1) << takeErrors();
        EXPECT_EQ(EVP_PKEY_eq(half.get(), key.get()), 1) << takeErrors();
        const hal::Pkey copy(EVP_PKEY_dup(key.get()));
        ASSERT_TRUE(copy);
        EXPECT_EQ(EVP_PKEY_eq(key.get(), copy.get()), 1);
        EXPECT_FALSE(sign(service_, copy, "text").empty()) << takeErrors();
    }
}

TEST_P(ProviderKey, FileKeysStayWithTheDefaultProviderBesideReferences) {
    ASSERT_TRUE(service_.load(KeyDaemon::shared().reference(KeyAlgorithm::ecP256)));
    for (const std::string type : {"EC", "RSA"}) {
        const hal::Pkey loaded = service_.load(writePrivateKey(service_.makeFileKey(type)));
        ASSERT_TRUE(loaded) << takeErrors();
        EXPECT_EQ(keeper(loaded), "default");
        const Octets signature = sign(service_, loaded, "text");
        ASSERT_FALSE(signature.empty()) << takeErrors();
        EXPECT_TRUE(verify(service_, loaded, "text", signature));
        EXPECT_FALSE(selfSigned(service_, loaded, "file.example").empty());
    }
}

TEST_P(ProviderKey, PrivateMaterialIsNotImported) {
    for (const std::string type : {"EC", "RSA"}) {
        const hal::Pkey file = service_.makeFileKey(type);
        OSSL_PARAM* params = nullptr;
        ASSERT_EQ(EVP_PKEY_todata(file.get(), EVP_PKEY_KEYPAIR, &params), 1);
        for (const int selection : {EVP_PKEY_KEYPAIR, EVP_PKEY_PUBLIC_KEY}) {
            const hal::PkeyContext context(
                EVP_PKEY_CTX_new_from_name(service_.library(), type.c_str(), "provider=certmgr"));
            ASSERT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
            EVP_PKEY* imported = nullptr;
            EXPECT_LE(EVP_PKEY_fromdata(context.get(), &imported, selection, params), 0) << type;
        }
        OSSL_PARAM_free(params);
    }
    takeErrors();
}

TEST_P(ProviderKey, ReferencesAreNotExported) {
    const hal::Pkey key = service_.load(KeyDaemon::shared().reference(KeyAlgorithm::ecP256));
    OSSL_PARAM* params = nullptr;
    EXPECT_LE(EVP_PKEY_todata(key.get(), EVP_PKEY_KEYPAIR, &params), 0);
    takeErrors();
}

TEST_P(ProviderKey, WritesThePublicHalfInEveryUsualForm) {
    for (const auto algorithm : {KeyAlgorithm::ecP384, KeyAlgorithm::rsa2048}) {
        const std::string reference = KeyDaemon::shared().reference(algorithm);
        const hal::Pkey key = service_.load(reference);
        unsigned char* der = nullptr;
        const int size = i2d_PUBKEY(key.get(), &der);
        ASSERT_GT(size, 0) << takeErrors();
        EXPECT_EQ(hal::Bytes(der, der + size), hal::keyReferenceFromPem(reference).publicKey);
        OPENSSL_free(der);
        EXPECT_EQ(i2d_PublicKey(key.get(), nullptr), i2d_PublicKey(publicHalf(key).get(), nullptr));
        EXPECT_EQ(writePublicKey(key), writePublicKey(publicHalf(key)));
        const hal::Bio text(BIO_new(BIO_s_mem()));
        EXPECT_EQ(EVP_PKEY_print_public(text.get(), key.get(), 0, nullptr), 1) << takeErrors();
    }
}

TEST_P(ProviderKey, WritesTheReferenceInThePlaceOfThePrivateKey) {
    for (const auto algorithm : {KeyAlgorithm::ecP256, KeyAlgorithm::rsa2048}) {
        const std::string reference = KeyDaemon::shared().reference(algorithm);
        EXPECT_EQ(writePrivateKey(service_.load(reference)), reference);
    }
}

TEST_P(ProviderKey, RefusesWhatIsNoReference) {
    const std::string good = KeyDaemon::shared().reference(KeyAlgorithm::ecP256);
    const hal::KeyReference parsed = hal::keyReferenceFromPem(good);
    hal::KeyReference brokenPublicKey = parsed;
    brokenPublicKey.publicKey[4] ^= 0xff;
    hal::KeyReference truncatedPublicKey = parsed;
    truncatedPublicKey.publicKey.resize(20);
    std::string otherBody = good;
    otherBody[otherBody.find('\n') + 1] = 'A';
    std::string damagedBase64 = good;
    damagedBase64[damagedBase64.find('\n') + 10] = '!';
    const std::string garbage = "-----BEGIN CERTMGR KEY-----\nAAECAwQ=\n-----END CERTMGR KEY-----\n";
    for (const std::string& pem :
         {hal::toPem(brokenPublicKey), hal::toPem(truncatedPublicKey), otherBody, damagedBase64, garbage,
          good.substr(0, good.size() / 2), std::string(), std::string(100'000, 'x')}) {
        EXPECT_FALSE(service_.load(pem)) << pem;
        EXPECT_NE(takeErrors(), "") << pem;
    }
}

TEST_P(ProviderKey, SaysWhatIsWrongWithADamagedReference) {
    hal::KeyReference relative =
        hal::keyReferenceFromPem(KeyDaemon::shared().reference(KeyAlgorithm::ecP256));
    relative.socketPath = "keyd.sock";
    EXPECT_FALSE(service_.load(hal::toPem(relative)));
    EXPECT_NE(takeErrors().find("the socket is not an absolute path"), std::string::npos);
}

}  // namespace
}  // namespace provider_test
