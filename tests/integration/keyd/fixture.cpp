#include "tests/integration/keyd/fixture.h"

#include "hal/error.h"

namespace keyd_test {
namespace {

const hal::Bytes fixedDigest(32, 0x5a);

}  // namespace

hal::KeyRequest request(hal::KeyPolicy policy, hal::AccessList access) {
    return {hal::KeyId::fresh(), hal::KeyAlgorithm::ecP256, policy, std::move(access), "test"};
}

hal::Bytes sign(hal::KeyStore& keys, const hal::KeyId& id) {
    return keys.sign(id, hal::SignatureScheme::ecdsa, hal::Hash::sha256, fixedDigest);
}

bool verifies(const hal::Bytes& publicKey, const hal::Bytes& signature) {
    const unsigned char* position = publicKey.data();
    const hal::Pkey key(d2i_PUBKEY(nullptr, &position, static_cast<long>(publicKey.size())));
    const hal::PkeyContext context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
    return context && EVP_PKEY_verify_init(context.get()) == 1 &&
           EVP_PKEY_verify(context.get(), signature.data(), signature.size(), fixedDigest.data(),
                           fixedDigest.size()) == 1;
}

std::string codeOf(const std::function<void()>& call) {
    try {
        call();
        return "";
    } catch (const hal::Error& error) {
        return error.code();
    }
}

}  // namespace keyd_test
