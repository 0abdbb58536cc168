// What needs no TPM of its back end: the meaning of response codes, and the RSA encodings.
#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include "hal/keyd/rsa_padding.h"
#include "hal/keyd/software_key.h"
#include "hal/keyd/tpm_error.h"

namespace hal::keyd {
namespace {

TEST(TpmError, GivesEachResponseCodeAWordAndASentence) {
    const std::vector<std::pair<std::uint32_t, std::string>> cases{
        {0x921, "tpm-locked-out"}, {0x902, "tpm-full"},        {0x903, "tpm-full"},   {0x14B, "tpm-full"},
        {0x98E, "tpm-failed"},     {0x99D, "tpm-failed"},      {0x1DF, "tpm-failed"}, {0x101, "tpm-failed"},
        {0x2C4, "not-supported"},  {0x1C7, "not-supported"},   {0xA000A, "tpm-gone"}, {0x910, "tpm-gone"},
        {0x100, "tpm-gone"},       {0xC0921, "tpm-locked-out"}};
    for (const auto& [responseCode, word] : cases) {
        const TpmError error(responseCode, "TPM2_Sign");
        EXPECT_EQ(error.code(), word) << std::hex << responseCode;
        EXPECT_NE(std::string(error.what()).find("TPM2_Sign"), std::string::npos);
    }
    EXPECT_NE(std::string(TpmError(0x99D, "x").what()).find("PCR"), std::string::npos);
}

// Turns the bare private operation loose on an encoding, and lets OpenSSL judge the signature.
bool verifies(const Pkey& key, int padding, Hash hash, const Bytes& digest, const Bytes& block) {
    const PkeyContext bare(EVP_PKEY_CTX_new(key.get(), nullptr));
    Bytes signature(block.size());
    std::size_t size = signature.size();
    if (EVP_PKEY_decrypt_init(bare.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(bare.get(), RSA_NO_PADDING) != 1 ||
        EVP_PKEY_decrypt(bare.get(), signature.data(), &size, block.data(), block.size()) != 1)
        return false;
    const PkeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
    return EVP_PKEY_verify_init(context.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context.get(), digestOf(hash)) == 1 &&
           (padding != RSA_PKCS1_PSS_PADDING ||
            EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) == 1) &&
           EVP_PKEY_verify(context.get(), signature.data(), size, digest.data(), digest.size()) == 1;
}

TEST(RsaPadding, IsWhatOpenSslExpects) {
    const Pkey key = generateKey(KeyAlgorithm::rsa2048);
    for (const auto hash : {Hash::sha256, Hash::sha384, Hash::sha512})
        for (std::uint8_t seed = 0; seed < 20; ++seed) {
            const Bytes digest(digestLength(hash), seed);
            EXPECT_TRUE(verifies(key, RSA_PKCS1_PSS_PADDING, hash, digest, emsaPss(hash, digest, 2048)));
            EXPECT_TRUE(verifies(key, RSA_PKCS1_PADDING, hash, digest, emsaPkcs1(hash, digest, 2048)));
        }
    const Bytes digest(32, 1);
    EXPECT_FALSE(verifies(key, RSA_PKCS1_PSS_PADDING, Hash::sha256, Bytes(32, 2),
                          emsaPss(Hash::sha256, digest, 2048)));
}

}  // namespace
}  // namespace hal::keyd
