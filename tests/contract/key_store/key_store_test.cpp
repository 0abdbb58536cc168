// hal::KeyStore's contract, one test a sentence of key_store.h.
#include <algorithm>

#include "hal/error.h"
#include "tests/contract/key_store/environment.h"

namespace contract {
namespace {

using hal::Hash;
using hal::KeyAlgorithm;
using hal::SignatureScheme;

INSTANTIATE_TEST_SUITE_P(Stores, KeyStoreContract,
                         testing::Values(Store::memory, Store::file, Store::sealed, Store::sealedBehindAbrmd,
                                         Store::tpm, Store::tpmBehindAbrmd),
                         [](const auto& tested) { return nameOf(tested.param); });

std::vector<SignatureScheme> schemesOf(KeyAlgorithm algorithm) {
    if (algorithm == KeyAlgorithm::ecP256 || algorithm == KeyAlgorithm::ecP384)
        return {SignatureScheme::ecdsa};
    return {SignatureScheme::rsaPkcs1, SignatureScheme::rsaPss};
}

TEST_P(KeyStoreContract, MakesEachAlgorithmAndSignsWithEachSchemeAndHash) {
    for (const auto algorithm :
         {KeyAlgorithm::ecP256, KeyAlgorithm::ecP384, KeyAlgorithm::rsa2048, KeyAlgorithm::rsa3072}) {
        const hal::KeyInfo info = keys().make(request(algorithm));
        for (const auto scheme : schemesOf(algorithm))
            for (const auto hash : {Hash::sha256, Hash::sha384, Hash::sha512}) {
                const hal::Bytes input = digest(hash, "to be signed");
                const hal::Bytes signature = keys().sign(info.id, scheme, hash, input);
                EXPECT_TRUE(verifies(info.publicKey, scheme, hash, input, signature)) << toString(algorithm);
                EXPECT_FALSE(verifies(info.publicKey, scheme, hash, digest(hash, "other"), signature));
            }
    }
}

TEST_P(KeyStoreContract, SaysWhatItMade) {
    const hal::KeyRequest asked = request();
    const hal::KeyInfo info = keys().make(asked);
    EXPECT_EQ(info.id, asked.id);
    EXPECT_EQ(info.algorithm, KeyAlgorithm::ecP256);
    EXPECT_EQ(info.backend, backend());
    EXPECT_EQ(info.reasonCode, "as-asked");
    EXPECT_FALSE(info.reason.empty());
    EXPECT_EQ(info.access.users, asked.access.users);
    EXPECT_EQ(info.access.groups, asked.access.groups);
    EXPECT_EQ(info.label, "gw.example");
    EXPECT_FALSE(info.released);
    const auto age = std::chrono::system_clock::now() - info.created;
    EXPECT_LT(std::chrono::abs(age), std::chrono::hours(1));
}

TEST_P(KeyStoreContract, FindsAndListsWhatExists) {
    EXPECT_FALSE(keys().find(hal::KeyId::fresh()));
    std::vector<hal::KeyId> made;
    for (int i = 0; i < 3; ++i) made.push_back(keys().make(request()).id);
    const auto found = keys().find(made[1]);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->label, "gw.example");
    const std::vector<hal::KeyInfo> listed = keys().list();
    for (const hal::KeyId& id : made)
        EXPECT_EQ(
            std::count_if(listed.begin(), listed.end(), [&](const auto& info) { return info.id == id; }), 1);
}

TEST_P(KeyStoreContract, NeverOverwrites) {
    const hal::KeyRequest asked = request();
    const hal::KeyInfo first = keys().make(asked);
    EXPECT_EQ(codeOf([&] { keys().make(asked); }), "key-exists");
    EXPECT_EQ(keys().find(asked.id)->publicKey, first.publicKey);
    const hal::Bytes input = digest(Hash::sha256, "still the first");
    EXPECT_TRUE(verifies(first.publicKey, SignatureScheme::ecdsa, Hash::sha256, input,
                         keys().sign(asked.id, SignatureScheme::ecdsa, Hash::sha256, input)));
}

TEST_P(KeyStoreContract, DestroysOnce) {
    const hal::KeyId id = keys().make(request()).id;
    const hal::Bytes input = digest(Hash::sha256, "x");
    keys().sign(id, SignatureScheme::ecdsa, Hash::sha256, input);
    EXPECT_TRUE(keys().destroy(id));
    EXPECT_FALSE(keys().destroy(id));
    EXPECT_FALSE(keys().find(id));
    EXPECT_EQ(codeOf([&] { keys().sign(id, SignatureScheme::ecdsa, Hash::sha256, input); }), "key-not-found");
    EXPECT_EQ(codeOf([&] { keys().release(id); }), "key-not-found");
    EXPECT_EQ(codeOf([&] { keys().reference(id); }), "key-not-found");
    EXPECT_EQ(codeOf([&] { keys().open(id); }), "key-not-found");
}

TEST_P(KeyStoreContract, RefusesSchemesAndDigestsThatDoNotFit) {
    const hal::KeyId ec = keys().make(request()).id;
    const hal::KeyId rsa = keys().make(request(KeyAlgorithm::rsa2048)).id;
    const hal::Bytes input = digest(Hash::sha256, "x");
    for (const auto scheme : {SignatureScheme::rsaPkcs1, SignatureScheme::rsaPss})
        EXPECT_EQ(codeOf([&] { keys().sign(ec, scheme, Hash::sha256, input); }), "not-supported");
    EXPECT_EQ(codeOf([&] { keys().sign(rsa, SignatureScheme::ecdsa, Hash::sha256, input); }),
              "not-supported");
    EXPECT_EQ(codeOf([&] { keys().sign(ec, SignatureScheme::ecdsa, Hash::sha384, input); }), "not-supported");
}

TEST_P(KeyStoreContract, ReleasesOnceWhatCanLeave) {
    const hal::KeyInfo info = keys().make(request());
    if (backend() == hal::KeyBackend::tpm) {
        EXPECT_EQ(codeOf([&] { keys().release(info.id); }), "not-releasable");
        return;
    }
    const std::string pem = keys().release(info.id);
    EXPECT_TRUE(pem.starts_with("-----BEGIN PRIVATE KEY-----")) << "not PKCS#8";
    EXPECT_EQ(codeOf([&] { keys().release(info.id); }), "already-released");
    EXPECT_TRUE(keys().find(info.id)->released);
    hal::KeyRequest copy = request();
    EXPECT_EQ(keys().import(copy, pem).publicKey, info.publicKey);
}

TEST_P(KeyStoreContract, GivesAFileKeyIntoABackupAndTakesItBack) {
    const hal::Bytes wrappingKey(32, 7);
    const hal::KeyInfo info = keys().make(request());
    if (backend() != hal::KeyBackend::file) {
        EXPECT_EQ(codeOf([&] { keys().exportWrapped(info.id, wrappingKey); }), "not-exportable");
        return;
    }
    hal::Bytes wrapped = keys().exportWrapped(info.id, wrappingKey);
    EXPECT_EQ(keys().importWrapped(info.id, wrappingKey, wrapped).publicKey, info.publicKey)
        << "there already";
    ASSERT_TRUE(keys().destroy(info.id));
    const auto takeWith = [&](const hal::KeyId& id, const hal::Bytes& key) {
        return codeOf([&] { keys().importWrapped(id, key, wrapped); });
    };
    EXPECT_EQ(takeWith(info.id, hal::Bytes(32, 8)), "bad-wrapped-key");
    EXPECT_EQ(takeWith(hal::KeyId::fresh(), wrappingKey), "bad-wrapped-key");
    EXPECT_EQ(takeWith(info.id, hal::Bytes(31, 7)), "bad-request");
    EXPECT_FALSE(keys().find(info.id));
    EXPECT_EQ(takeWith(info.id, wrappingKey), "");
    EXPECT_EQ(keys().find(info.id)->access, info.access);
    const hal::Bytes input = digest(Hash::sha256, "to be signed");
    EXPECT_TRUE(verifies(info.publicKey, SignatureScheme::ecdsa, Hash::sha256, input,
                         keys().sign(info.id, SignatureScheme::ecdsa, Hash::sha256, input)));
    wrapped.back() ^= 1;
    EXPECT_EQ(takeWith(info.id, wrappingKey), "bad-wrapped-key");
}

TEST_P(KeyStoreContract, OpensAKeyThatOpenSslSignsWith) {
    for (const auto algorithm : {KeyAlgorithm::ecP256, KeyAlgorithm::rsa2048}) {
        const hal::KeyInfo info = keys().make(request(algorithm));
        const hal::Pkey key = keys().open(info.id);
        const hal::MdContext context(EVP_MD_CTX_new());
        ASSERT_EQ(
            EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr), 1);
        hal::Bytes signature(1024);
        std::size_t size = signature.size();
        const std::string_view text = "signed through EVP";
        const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
        ASSERT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, bytes, text.size()), 1);
        signature.resize(size);
        EXPECT_TRUE(verifies(info.publicKey, schemesOf(algorithm).front(), Hash::sha256,
                             digest(Hash::sha256, text), signature));
    }
}

TEST_P(KeyStoreContract, GivesAReferenceThatHoldsNoSecret) {
    const std::string reference = keys().reference(keys().make(request()).id);
    EXPECT_TRUE(reference.starts_with("-----BEGIN CERTMGR KEY-----")) << reference;
}

TEST_P(KeyStoreContract, IsHealthyWhereItsKeysAre) {
    const std::vector<hal::BackendHealth> health = keys().health();
    ASSERT_EQ(health.size(), 3U);
    for (const hal::BackendHealth& entry : health)
        EXPECT_TRUE(entry.usable || entry.backend != backend()) << entry.reason;
}

}  // namespace
}  // namespace contract
