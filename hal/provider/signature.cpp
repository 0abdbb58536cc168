// OSSL_OP_SIGNATURE: ECDSA and RSA. Only translates between OpenSSL's calls and SignatureOperation.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "hal/error.h"
#include "hal/provider/dispatch.h"
#include "hal/provider/signature_operation.h"

namespace hal::provider {
namespace {

using Purpose = SignatureOperation::Purpose;
using Names = std::array<std::pair<int, std::string_view>, 3>;

constexpr Names paddings{{{RSA_PKCS1_PADDING, OSSL_PKEY_RSA_PAD_MODE_PKCSV15},
                          {RSA_PKCS1_PSS_PADDING, OSSL_PKEY_RSA_PAD_MODE_PSS},
                          {RSA_NO_PADDING, OSSL_PKEY_RSA_PAD_MODE_NONE}}};
constexpr Names saltLengths{{{RSA_PSS_SALTLEN_DIGEST, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST},
                             {RSA_PSS_SALTLEN_AUTO, OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO},
                             {RSA_PSS_SALTLEN_MAX, OSSL_PKEY_RSA_PSS_SALT_LEN_MAX}}};

SignatureOperation& operation(void* context) noexcept {
    return *static_cast<SignatureOperation*>(context);
}

Error badParameter(const char* key) {
    return Error(ErrorKind::rejected, "bad-parameter",
                 "the parameter " + std::string(key) + " cannot be understood");
}

std::string_view textOf(const OSSL_PARAM& param) {
    const char* text = nullptr;
    if (!OSSL_PARAM_get_utf8_string_ptr(&param, &text) || !text) throw badParameter(param.key);
    return text;
}

// OpenSSL passes these by number or by name, as its caller did.
int numberOf(const OSSL_PARAM& param, const Names& names) {
    int number = 0;
    if (param.data_type != OSSL_PARAM_UTF8_STRING) {
        if (!OSSL_PARAM_get_int(&param, &number)) throw badParameter(param.key);
        return number;
    }
    const std::string_view text = textOf(param);
    for (const auto& [value, name] : names)
        if (name == text) return value;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) throw badParameter(param.key);
    return number;
}

bool answer(OSSL_PARAM& param, int number, const Names& names) {
    if (param.data_type != OSSL_PARAM_UTF8_STRING) return OSSL_PARAM_set_int(&param, number);
    for (const auto& [value, name] : names)
        if (value == number) return OSSL_PARAM_set_utf8_string(&param, name.data());
    return OSSL_PARAM_set_utf8_string(&param, std::to_string(number).c_str());
}

void apply(SignatureOperation& target, const OSSL_PARAM* params) {
    for (const OSSL_PARAM* param = params; param && param->key; ++param) {
        const std::string_view key = param->key;
        if (key == OSSL_SIGNATURE_PARAM_DIGEST) target.chooseDigest(textOf(*param));
        if (key == OSSL_SIGNATURE_PARAM_PAD_MODE) target.choosePadding(numberOf(*param, paddings));
        if (key == OSSL_SIGNATURE_PARAM_PSS_SALTLEN) target.chooseSaltLength(numberOf(*param, saltLengths));
        if (key == OSSL_SIGNATURE_PARAM_MGF1_DIGEST) target.chooseMgf1Digest(textOf(*param));
    }
}

int setParams(void* context, const OSSL_PARAM* params) noexcept {
    return guarded(0, [&] {
        apply(operation(context), params);
        return 1;
    });
}

bool answer(const SignatureOperation& asked, OSSL_PARAM& param) {
    const std::string_view key = param.key;
    if (key == OSSL_SIGNATURE_PARAM_ALGORITHM_ID) {
        const Bytes der = asked.algorithmIdentifier();
        return OSSL_PARAM_set_octet_string(&param, der.data(), der.size());
    }
    if (key == OSSL_SIGNATURE_PARAM_DIGEST) return OSSL_PARAM_set_utf8_string(&param, asked.digestName());
    if (key == OSSL_SIGNATURE_PARAM_PAD_MODE) return answer(param, asked.padding(), paddings);
    if (key == OSSL_SIGNATURE_PARAM_PSS_SALTLEN) return answer(param, asked.saltLength(), saltLengths);
    return true;
}

int getParams(void* context, OSSL_PARAM* params) noexcept {
    return guarded(0, [&] {
        for (OSSL_PARAM* param = params; param && param->key; ++param)
            if (!answer(operation(context), *param)) return 0;
        return 1;
    });
}

template <KeyType type>
const OSSL_PARAM* settableParams(void*, void*) noexcept {
    static const OSSL_PARAM ec[] = {OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                    OSSL_PARAM_END};
    static const OSSL_PARAM rsa[] = {OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, nullptr, 0),
                                     OSSL_PARAM_END};
    return type == KeyType::ec ? ec : rsa;
}

template <KeyType type>
const OSSL_PARAM* gettableParams(void*, void*) noexcept {
    static const OSSL_PARAM ec[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
                                    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                    OSSL_PARAM_END};
    static const OSSL_PARAM rsa[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
                                     OSSL_PARAM_END};
    return type == KeyType::ec ? ec : rsa;
}

void* newContext(void* instance, const char* /* property query: there is one keyd */) noexcept {
    return guarded<void*>(nullptr, [&] {
        return handOver(std::make_unique<SignatureOperation>(*static_cast<Instance*>(instance)));
    });
}

void* duplicate(void* context) noexcept {
    return guarded<void*>(nullptr,
                          [&] { return handOver(std::make_unique<SignatureOperation>(operation(context))); });
}

template <Purpose purpose>
int begin(void* context, void* key, const OSSL_PARAM* params) noexcept {
    return guarded(0, [&] {
        operation(context).begin(purpose, static_cast<const KeyData*>(key));
        apply(operation(context), params);
        return 1;
    });
}

template <Purpose purpose>
int beginDigest(void* context, const char* digestName, void* key, const OSSL_PARAM* params) noexcept {
    return guarded(0, [&] {
        operation(context).begin(purpose, static_cast<const KeyData*>(key));
        operation(context).beginDigest(digestName ? digestName : "");
        apply(operation(context), params);
        return 1;
    });
}

int update(void* context, const unsigned char* data, std::size_t size) noexcept {
    return guarded(0, [&] {
        operation(context).update({data, size});
        return 1;
    });
}

// With no room given the caller asks for the length only, and the operation stays as it is.
template <class Make>
int deliver(const SignatureOperation& from, unsigned char* signature, std::size_t* size, std::size_t room,
            Make&& make) {
    if (!signature) {
        *size = from.maxSize();
        return 1;
    }
    const Bytes made = make();
    if (made.size() > room)
        throw Error(ErrorKind::rejected, "buffer-too-small",
                    "the caller's buffer is too small for the signature");
    std::copy(made.begin(), made.end(), signature);
    *size = made.size();
    return 1;
}

int sign(void* context, unsigned char* signature, std::size_t* size, std::size_t room,
         const unsigned char* digest, std::size_t digestSize) noexcept {
    return guarded(0, [&] {
        SignatureOperation& current = operation(context);
        return deliver(current, signature, size, room, [&] { return current.sign({digest, digestSize}); });
    });
}

int finishSigning(void* context, unsigned char* signature, std::size_t* size, std::size_t room) noexcept {
    return guarded(0, [&] {
        SignatureOperation& current = operation(context);
        return deliver(current, signature, size, room, [&] { return current.finishSigning(); });
    });
}

int verify(void* context, const unsigned char* signature, std::size_t size, const unsigned char* digest,
           std::size_t digestSize) noexcept {
    return guarded(0, [&]() -> int {
        return operation(context).verify({signature, size}, {digest, digestSize});
    });
}

int finishVerifying(void* context, const unsigned char* signature, std::size_t size) noexcept {
    return guarded(0, [&]() -> int { return operation(context).finishVerifying({signature, size}); });
}

template <KeyType type>
const OSSL_DISPATCH* functions() noexcept {
    static const OSSL_DISPATCH table[] = {
        entry<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, newContext),
        entry<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, takeBack<SignatureOperation>),
        entry<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
        entry<OSSL_FUNC_signature_sign_init_fn>(OSSL_FUNC_SIGNATURE_SIGN_INIT, begin<Purpose::sign>),
        entry<OSSL_FUNC_signature_sign_fn>(OSSL_FUNC_SIGNATURE_SIGN, sign),
        entry<OSSL_FUNC_signature_verify_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_INIT, begin<Purpose::verify>),
        entry<OSSL_FUNC_signature_verify_fn>(OSSL_FUNC_SIGNATURE_VERIFY, verify),
        entry<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT,
                                                       beginDigest<Purpose::sign>),
        entry<OSSL_FUNC_signature_digest_sign_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, update),
        entry<OSSL_FUNC_signature_digest_sign_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, finishSigning),
        entry<OSSL_FUNC_signature_digest_verify_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT,
                                                         beginDigest<Purpose::verify>),
        entry<OSSL_FUNC_signature_digest_verify_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, update),
        entry<OSSL_FUNC_signature_digest_verify_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL,
                                                          finishVerifying),
        entry<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, getParams),
        entry<OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS,
                                                          gettableParams<type>),
        entry<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, setParams),
        entry<OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS,
                                                          settableParams<type>),
        endOfDispatch};
    return table;
}

}  // namespace

const OSSL_ALGORITHM* signatureAlgorithms() noexcept {
    static const OSSL_ALGORITHM table[] = {
        {"ECDSA", propertyDefinition, functions<KeyType::ec>(), "ECDSA by certmgr-keyd"},
        {rsaNames, propertyDefinition, functions<KeyType::rsa>(), "RSA PKCS#1 and PSS by certmgr-keyd"},
        {ed25519Names, propertyDefinition, ed25519SignatureFunctions(), "Ed25519 by certmgr-keyd"},
        endOfAlgorithms};
    return table;
}

}  // namespace hal::provider
