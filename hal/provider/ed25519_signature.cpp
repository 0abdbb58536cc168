// OSSL_OP_SIGNATURE for Ed25519 (RFC 8032): whole messages in one call, without a digest before.
#include <algorithm>
#include <array>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "hal/client/messages.h"
#include "hal/error.h"
#include "hal/provider/dispatch.h"
#include "hal/provider/key.h"

namespace hal::provider {
namespace {

constexpr std::size_t signatureSize = 64;
// RFC 8410 3: AlgorithmIdentifier of id-Ed25519, whose parameters are absent.
constexpr std::array<std::uint8_t, 7> identifier{0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};

struct Operation {
    Instance& instance;
    std::shared_ptr<const Key> key;
};

Operation& operation(void* context) noexcept {
    return *static_cast<Operation*>(context);
}

void* newContext(void* instance, const char* /* property query: there is one keyd */) noexcept {
    return guarded<void*>(nullptr, [&] {
        return handOver(std::make_unique<Operation>(Operation{*static_cast<Instance*>(instance), nullptr}));
    });
}

void* duplicate(void* context) noexcept {
    return guarded<void*>(nullptr, [&] { return handOver(std::make_unique<Operation>(operation(context))); });
}

int begin(void* context, const char* digestName, void* key, const OSSL_PARAM*) noexcept {
    return guarded(0, [&] {
        if (digestName && *digestName)
            throw Error(ErrorKind::rejected, "not-supported",
                        "Ed25519 signs messages, not digests; choose none");
        if (key) operation(context).key = static_cast<const KeyData*>(key)->key;
        if (!operation(context).key)
            throw Error(ErrorKind::rejected, "no-key", "the operation has no key, or an empty one");
        return 1;
    });
}

int sign(void* context, unsigned char* signature, std::size_t* size, std::size_t room,
         const unsigned char* message, std::size_t messageSize) noexcept {
    return guarded(0, [&] {
        *size = signatureSize;
        if (!signature) return 1;
        const Key& key = *operation(context).key;
        if (!key.reference)
            throw Error(ErrorKind::rejected, "no-private-key",
                        "this is a public key; signing takes a key reference");
        const std::vector<std::string> answer = key.connection->call(
            wire::Operation::sign,
            {key.reference->id.text(), std::string(wire::toString(SignatureScheme::ed25519)),
             std::string(wire::toString(Hash::sha512)), std::string(message, message + messageSize)});
        if (answer.size() != 1 || answer[0].size() != signatureSize || room < signatureSize)
            throw Error(ErrorKind::internal, "bad-message",
                        "the signature is not of 64 octets, or there is no room for it");
        std::copy(answer[0].begin(), answer[0].end(), signature);
        return 1;
    });
}

int verify(void* context, const unsigned char* signature, std::size_t size, const unsigned char* message,
           std::size_t messageSize) noexcept {
    return guarded(0, [&]() -> int {
        const MdContext verification(EVP_MD_CTX_new());
        return verification &&
               EVP_DigestVerifyInit_ex(verification.get(), nullptr, nullptr,
                                       operation(context).instance.library(), nullptr,
                                       operation(context).key->publicKey.get(), nullptr) == 1 &&
               EVP_DigestVerify(verification.get(), signature, size, message, messageSize) == 1;
    });
}

const OSSL_PARAM* gettableParams(void*, void*) noexcept {
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0), OSSL_PARAM_END};
    return params;
}

int getParams(void*, OSSL_PARAM* params) noexcept {
    OSSL_PARAM* const asked = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
    return !asked || OSSL_PARAM_set_octet_string(asked, identifier.data(), identifier.size());
}

}  // namespace

const OSSL_DISPATCH* ed25519SignatureFunctions() noexcept {
    static const OSSL_DISPATCH table[] = {
        entry<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, newContext),
        entry<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, takeBack<Operation>),
        entry<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
        entry<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, begin),
        entry<OSSL_FUNC_signature_digest_sign_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign),
        entry<OSSL_FUNC_signature_digest_verify_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, begin),
        entry<OSSL_FUNC_signature_digest_verify_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, verify),
        entry<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, getParams),
        entry<OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS,
                                                          gettableParams),
        endOfDispatch};
    return table;
}

}  // namespace hal::provider
