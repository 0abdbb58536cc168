// KeyStore::import: what it takes, and what it refuses without leaving anything.
#include <openssl/pem.h>

#include "tests/contract/key_store/environment.h"

namespace contract {
namespace {

std::string textOf(const hal::Bio& bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

std::string pkcs8(EVP_PKEY* key, const EVP_CIPHER* cipher = nullptr) {
    const hal::Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key, cipher, "secret", cipher ? 6 : 0, nullptr, nullptr);
    return textOf(bio);
}

std::string traditional(EVP_PKEY* key, const EVP_CIPHER* cipher = nullptr) {
    const hal::Bio bio(BIO_new(BIO_s_mem()));
    const auto* password = reinterpret_cast<const unsigned char*>("secret");
    PEM_write_bio_PrivateKey_traditional(bio.get(), key, cipher, cipher ? password : nullptr, cipher ? 6 : 0,
                                         nullptr, nullptr);
    return textOf(bio);
}

hal::Pkey ec(const char* curve) {
    return hal::Pkey(EVP_EC_gen(curve));
}
hal::Pkey rsa(unsigned int bits) {
    return hal::Pkey(EVP_RSA_gen(bits));
}

class Import : public KeyStoreContract {};
INSTANTIATE_TEST_SUITE_P(Stores, Import,
                         testing::Values(Store::memory, Store::file, Store::sealed, Store::tpm),
                         [](const auto& tested) { return nameOf(tested.param); });

TEST_P(Import, TakesEachFormAndSigns) {
    if (backend() == hal::KeyBackend::tpm) {
        EXPECT_EQ(codeOf([&] { keys().import(request(), pkcs8(ec("P-256").get())); }), "not-importable");
        return;
    }
    const std::string certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    const hal::Pkey p256 = ec("P-256");
    const hal::Pkey p384 = ec("P-384");
    for (const std::string& pem : {pkcs8(p256.get()), traditional(p256.get()),
                                   certificate + pkcs8(p384.get()) + certificate, traditional(p384.get())}) {
        const hal::KeyInfo info = keys().import(request(), pem);
        const hal::Bytes input = digest(hal::Hash::sha256, "imported");
        const hal::Bytes signature =
            keys().sign(info.id, hal::SignatureScheme::ecdsa, hal::Hash::sha256, input);
        EXPECT_TRUE(
            verifies(info.publicKey, hal::SignatureScheme::ecdsa, hal::Hash::sha256, input, signature));
        EXPECT_EQ(info.backend, backend());
    }
    EXPECT_EQ(keys().import(request(), pkcs8(rsa(2048).get())).algorithm, hal::KeyAlgorithm::rsa2048);
    EXPECT_EQ(keys().import(request(), traditional(rsa(3072).get())).algorithm, hal::KeyAlgorithm::rsa3072);
}

TEST_P(Import, TakesEd25519AndSignsMessages) {
    if (backend() == hal::KeyBackend::tpm) return;  // takes no key from outside at all, see above
    const hal::Pkey ed25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    const hal::KeyInfo info = keys().import(request(), pkcs8(ed25519.get()));
    EXPECT_EQ(info.algorithm, hal::KeyAlgorithm::ed25519);
    EXPECT_EQ(keys().find(info.id)->algorithm, hal::KeyAlgorithm::ed25519);
    const hal::Pkey handle = keys().open(info.id);
    for (const std::size_t size : {0u, 1u, 64u, 100'000u}) {
        const hal::Bytes message(size, 'x');
        const hal::Bytes signature =
            keys().sign(info.id, hal::SignatureScheme::ed25519, hal::Hash::sha512, message);
        const hal::MdContext byHandle(EVP_MD_CTX_new());
        hal::Bytes again(64);
        std::size_t length = again.size();
        ASSERT_EQ(EVP_DigestSignInit(byHandle.get(), nullptr, nullptr, nullptr, handle.get()), 1);
        ASSERT_EQ(EVP_DigestSign(byHandle.get(), again.data(), &length, message.data(), message.size()), 1);
        EXPECT_EQ(again, signature) << "Ed25519 is deterministic";
        const hal::MdContext software(EVP_MD_CTX_new());
        ASSERT_EQ(EVP_DigestVerifyInit(software.get(), nullptr, nullptr, nullptr, ed25519.get()), 1);
        EXPECT_EQ(EVP_DigestVerify(software.get(), signature.data(), signature.size(), message.data(),
                                   message.size()),
                  1);
    }
    const hal::Bytes input = digest(hal::Hash::sha256, "not a message");
    EXPECT_EQ(codeOf([&] { keys().sign(info.id, hal::SignatureScheme::ecdsa, hal::Hash::sha256, input); }),
              "not-supported");
    EXPECT_EQ(codeOf([&] { keys().make(request(hal::KeyAlgorithm::ed25519)); }), "not-supported");
}

TEST_P(Import, UnderPreferTpmIsAFileKeyThatSaysWhy) {
    hal::KeyRequest asked = request();
    asked.policy = hal::KeyPolicy::preferTpm;
    const hal::KeyInfo info = keys().import(asked, pkcs8(ec("P-256").get()));
    EXPECT_EQ(info.backend, hal::KeyBackend::file);
    EXPECT_EQ(info.reasonCode, "imported");
}

TEST_P(Import, RefusesWhatIsNotOneUsableKey) {
    const hal::Pkey p256 = ec("P-256");
    const std::string good = pkcs8(p256.get());
    std::string damaged = good;
    damaged[60] = '*';
    const std::vector<std::string> bad{
        "",
        "no PEM at all",
        "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        good.substr(0, good.size() / 2),
        damaged,
        good + pkcs8(ec("P-256").get()),
        good + good,
        pkcs8(ec("secp256k1").get()),
        pkcs8(ec("P-521").get()),
        pkcs8(rsa(1024).get()),
        pkcs8(hal::Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448")).get()),
        pkcs8(p256.get(), EVP_aes_128_cbc()),
        traditional(p256.get(), EVP_aes_128_cbc()),
    };
    for (const std::string& pem : bad) {
        const hal::KeyRequest asked = request();
        EXPECT_EQ(codeOf([&] { keys().import(asked, pem); }), "bad-key") << pem.substr(0, 60);
        EXPECT_FALSE(keys().find(asked.id));
    }
}

TEST_P(Import, NeverOverwrites) {
    hal::KeyRequest asked = request();
    asked.policy = hal::KeyPolicy::preferTpm;
    const std::string pem = pkcs8(ec("P-256").get());
    keys().import(asked, pem);
    EXPECT_EQ(codeOf([&] { keys().import(asked, pem); }), "key-exists");
}

}  // namespace
}  // namespace contract
