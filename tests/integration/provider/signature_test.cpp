// What keyd signs through the provider, verified by a default provider that knows nothing of it.
#include <gtest/gtest.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "tests/integration/provider/key_daemon.h"
#include "tests/integration/provider/openssl_service.h"

namespace provider_test {
namespace {

using hal::KeyAlgorithm;

class ProviderSignature : public testing::TestWithParam<OpensslService::Providers> {
  protected:
    hal::Pkey reference(KeyAlgorithm algorithm) {
        return service_.load(KeyDaemon::shared().reference(algorithm));
    }

    // Of a public key that only the default provider has.
    bool verifiedElsewhere(const hal::Pkey& key, const Octets& signature, const SignatureOptions& options) {
        return verify(elsewhere_, publicHalf(key), "message", signature, options);
    }

    OpensslService service_{GetParam()};
    OpensslService elsewhere_{{"default"}};
};
INSTANTIATE_TEST_SUITE_P(LoadOrder, ProviderSignature,
                         testing::Values(OpensslService::Providers{"default", "certmgr"},
                                         OpensslService::Providers{"certmgr", "default"}),
                         [](const auto& order) { return order.param[0] + "First"; });

TEST_P(ProviderSignature, EveryAlgorithmSchemeAndDigest) {
    for (const auto algorithm :
         {KeyAlgorithm::ecP256, KeyAlgorithm::ecP384, KeyAlgorithm::rsa2048, KeyAlgorithm::rsa3072}) {
        const hal::Pkey key = reference(algorithm);
        for (const std::string digest : {"SHA256", "SHA384", "SHA512"})
            for (const bool pss : {false, true}) {
                if (pss && EVP_PKEY_is_a(key.get(), "EC")) continue;
                const SignatureOptions options{digest, pss};
                const Octets signature = sign(service_, key, "message", options);
                ASSERT_FALSE(signature.empty()) << takeErrors();
                EXPECT_TRUE(verifiedElsewhere(key, signature, options))
                    << toString(algorithm) << digest << pss;
                EXPECT_TRUE(verify(service_, key, "message", signature, options)) << takeErrors();
                EXPECT_FALSE(verify(service_, key, "another message", signature, options));
            }
    }
    takeErrors();
}

TEST_P(ProviderSignature, OfADigestMadeByTheCaller) {
    const Octets digest(48, 7);
    for (const auto algorithm : {KeyAlgorithm::ecP256, KeyAlgorithm::rsa2048}) {
        const hal::Pkey key = reference(algorithm);
        const hal::Pkey publicKey = publicHalf(key);
        const hal::PkeyContext signing(EVP_PKEY_CTX_new_from_pkey(service_.library(), key.get(), nullptr));
        const hal::PkeyContext verifying(
            EVP_PKEY_CTX_new_from_pkey(elsewhere_.library(), publicKey.get(), nullptr));
        ASSERT_EQ(EVP_PKEY_sign_init(signing.get()), 1) << takeErrors();
        ASSERT_EQ(EVP_PKEY_verify_init(verifying.get()), 1);
        ASSERT_EQ(EVP_PKEY_CTX_set_signature_md(signing.get(), EVP_sha384()), 1) << takeErrors();
        ASSERT_EQ(EVP_PKEY_CTX_set_signature_md(verifying.get(), EVP_sha384()), 1);
        Octets signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
        std::size_t size = signature.size();
        ASSERT_EQ(EVP_PKEY_sign(signing.get(), signature.data(), &size, digest.data(), digest.size()), 1)
            << takeErrors();
        EXPECT_EQ(EVP_PKEY_verify(verifying.get(), signature.data(), size, digest.data(), digest.size()), 1);
        EXPECT_LE(EVP_PKEY_sign(signing.get(), signature.data(), &size, digest.data(), 20), 0);
    }
    takeErrors();
}

TEST_P(ProviderSignature, OfACopiedOperation) {
    const hal::Pkey key = reference(KeyAlgorithm::ecP256);
    const hal::MdContext first(EVP_MD_CTX_new());
    const hal::MdContext second(EVP_MD_CTX_new());
    ASSERT_EQ(EVP_DigestSignInit_ex(first.get(), nullptr, "SHA256", service_.library(), nullptr, key.get(),
                                    nullptr),
              1);
    ASSERT_EQ(EVP_DigestSignUpdate(first.get(), "mess", 4), 1);
    ASSERT_EQ(EVP_MD_CTX_copy_ex(second.get(), first.get()), 1) << takeErrors();
    ASSERT_EQ(EVP_DigestSignUpdate(first.get(), "y", 1), 1);
    ASSERT_EQ(EVP_DigestSignUpdate(second.get(), "age", 3), 1);
    Octets signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
    std::size_t size = signature.size();
    ASSERT_EQ(EVP_DigestSignFinal(second.get(), signature.data(), &size), 1) << takeErrors();
    signature.resize(size);
    EXPECT_TRUE(verifiedElsewhere(key, signature, {}));
}

TEST_P(ProviderSignature, OfCertificatesAndRequests) {
    for (const auto algorithm : {KeyAlgorithm::ecP384, KeyAlgorithm::rsa2048}) {
        const hal::Pkey key = reference(algorithm);
        const hal::X509ReqPtr request(X509_REQ_new_ex(service_.library(), nullptr));
        ASSERT_EQ(X509_REQ_set_pubkey(request.get(), key.get()), 1) << takeErrors();
        ASSERT_GT(X509_REQ_sign(request.get(), key.get(), EVP_sha384()), 0) << takeErrors();
        EXPECT_EQ(X509_REQ_verify(request.get(), publicHalf(key).get()), 1) << takeErrors();
        EXPECT_EQ(X509_REQ_verify(request.get(), key.get()), 1) << takeErrors();

        const std::string pem = selfSigned(service_, key, "a.example");
        const hal::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
        const hal::X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
        EXPECT_EQ(X509_verify(certificate.get(), publicHalf(key).get()), 1) << takeErrors();
    }
}

TEST_P(ProviderSignature, OfACertificateWithPssNamesItsParameters) {
    const hal::Pkey key = reference(KeyAlgorithm::rsa2048);
    const hal::X509Ptr certificate(X509_new_ex(service_.library(), nullptr));
    X509_set_pubkey(certificate.get(), key.get());
    const hal::MdContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* keyContext = nullptr;
    ASSERT_EQ(EVP_DigestSignInit_ex(context.get(), &keyContext, "SHA384", service_.library(), nullptr,
                                    key.get(), nullptr),
              1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING), 1);
    ASSERT_GT(X509_sign_ctx(certificate.get(), context.get()), 0) << takeErrors();
    EXPECT_EQ(X509_get_signature_nid(certificate.get()), NID_rsassaPss);
    EXPECT_EQ(X509_verify(certificate.get(), publicHalf(key).get()), 1) << takeErrors();
    int digest = 0, bits = 0;
    std::uint32_t flags = 0;
    EXPECT_EQ(X509_get_signature_info(certificate.get(), &digest, nullptr, &bits, &flags), 1);
    EXPECT_EQ(digest, NID_sha384);
}

TEST_P(ProviderSignature, OfCmsMessages) {
    for (const auto algorithm : {KeyAlgorithm::ecP256, KeyAlgorithm::rsa2048}) {
        const hal::Pkey key = reference(algorithm);
        const std::string pem = selfSigned(service_, key, "a.example");
        const hal::Bio source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
        X509* certificate = X509_new_ex(service_.library(), nullptr);
        PEM_read_bio_X509(source.get(), &certificate, nullptr, nullptr);
        const hal::X509Ptr owner(certificate);
        const hal::Bio content(BIO_new_mem_buf("message", 7));
        using Cms = hal::Handle<CMS_ContentInfo, CMS_ContentInfo_free>;
        const Cms cms(CMS_sign_ex(certificate, key.get(), nullptr, content.get(), CMS_BINARY,
                                  service_.library(), nullptr));
        ASSERT_TRUE(cms) << takeErrors();
        EXPECT_EQ(CMS_verify(cms.get(), nullptr, nullptr, nullptr, nullptr, CMS_NO_SIGNER_CERT_VERIFY), 1)
            << takeErrors();
    }
}

TEST_P(ProviderSignature, OfWhatKeydDoesNotSignIsRefusedWithASentence) {
    const hal::Pkey rsa = reference(KeyAlgorithm::rsa2048);
    EXPECT_TRUE(sign(service_, rsa, "message", {"SHA1"}).empty());
    EXPECT_NE(takeErrors().find("choose SHA-256, SHA-384 or SHA-512"), std::string::npos);

    const hal::MdContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* keyContext = nullptr;
    ASSERT_EQ(EVP_DigestSignInit_ex(context.get(), &keyContext, "SHA256", service_.library(), nullptr,
                                    rsa.get(), nullptr),
              1);
    EXPECT_LE(EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_NO_PADDING), 0);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, 20), 1);
    Octets signature(256);
    std::size_t size = signature.size();
    EXPECT_LE(EVP_DigestSign(context.get(), signature.data(), &size, signature.data(), 1), 0);
    EXPECT_NE(takeErrors().find("a PSS salt whose length is not the digest's"), std::string::npos);
}

TEST_P(ProviderSignature, IntoTooSmallABufferIsRefused) {
    const hal::Pkey key = reference(KeyAlgorithm::rsa2048);
    const hal::MdContext context(EVP_MD_CTX_new());
    ASSERT_EQ(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", service_.library(), nullptr, key.get(),
                                    nullptr),
              1);
    Octets signature(100);
    std::size_t size = signature.size();
    EXPECT_LE(EVP_DigestSign(context.get(), signature.data(), &size, signature.data(), 1), 0);
    EXPECT_NE(takeErrors().find("too small"), std::string::npos);
}

}  // namespace
}  // namespace provider_test
