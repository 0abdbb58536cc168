// OSSL_OP_KEYMGMT for EC, RSA and Ed25519. There is no export, and no import of private material, only of a
// reference to it: so libcrypto cannot move a reference into another provider nor another's key into this
// one, and every key is used where it lives, whatever the order in which the providers were loaded.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "hal/provider/dispatch.h"
#include "hal/provider/key.h"

namespace hal::provider {
namespace {

const KeyData& keyData(const void* data) noexcept {
    return *static_cast<const KeyData*>(data);
}

template <KeyType type>
void* newKey(void* instance) noexcept {
    return guarded<void*>(nullptr, [&] {
        return handOver(std::make_unique<KeyData>(KeyData{*static_cast<Instance*>(instance), type, nullptr}));
    });
}

// `reference` is what the decoder passed: the place of its unique_ptr.
void* load(const void* reference, std::size_t size) noexcept {
    using Place = std::unique_ptr<KeyData>*;
    if (size != sizeof(Place)) return nullptr;
    return (*static_cast<const Place*>(reference))->release();
}

int has(const void* data, int selection) noexcept {
    const std::shared_ptr<const Key>& key = keyData(data).key;
    if (!key) return (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0;
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 || key->reference.has_value();
}

int match(const void* left, const void* right,
          int /* selection: there is only the public half to compare */) noexcept {
    const std::shared_ptr<const Key>& a = keyData(left).key;
    const std::shared_ptr<const Key>& b = keyData(right).key;
    return a && b && EVP_PKEY_eq(a->publicKey.get(), b->publicKey.get()) == 1;
}

bool carriesSecret(const OSSL_PARAM* params) noexcept {
    return OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PRIV_KEY) ||
           OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_RSA_D);
}

bool importReference(KeyData& target, const OSSL_PARAM& reference) {
    const auto* octets = static_cast<const std::uint8_t*>(reference.data);
    const auto read =
        keyFromReference(target.instance, target.type, keyReferenceFromDer({octets, reference.data_size}));
    if (read) target.key = read->key;
    return read != nullptr;
}

int import(void* data, int selection, const OSSL_PARAM* params) noexcept {
    if (const OSSL_PARAM* reference = OSSL_PARAM_locate_const(params, keyReferenceParameter))
        return guarded(0, [&] { return importReference(*static_cast<KeyData*>(data), *reference) ? 1 : 0; });
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 || carriesSecret(params)) return 0;
    return guarded(0, [&] {
        auto& target = *static_cast<KeyData*>(data);
        const PkeyContext context(
            EVP_PKEY_CTX_new_from_name(target.instance.library(), nameOf(target.type), nullptr));
        EVP_PKEY* publicKey = nullptr;
        // EVP_PKEY_fromdata only reads its parameters, though it does not say so.
        if (!context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
            EVP_PKEY_fromdata(context.get(), &publicKey, EVP_PKEY_PUBLIC_KEY,
                              const_cast<OSSL_PARAM*>(params)) <= 0)
            return 0;
        target.key = std::make_shared<const Key>(Key{Pkey(publicKey), std::nullopt, nullptr});
        return 1;
    });
}

template <KeyType type>
const OSSL_PARAM* importTypes(int selection) noexcept {
    static const OSSL_PARAM ec[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                    OSSL_PARAM_END};
    static const OSSL_PARAM rsa[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                     OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0), OSSL_PARAM_END};
    static const OSSL_PARAM ed25519[] = {OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                         OSSL_PARAM_END};
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) return nullptr;
    return type == KeyType::ec ? ec : type == KeyType::rsa ? rsa : ed25519;
}

void* duplicate(const void* data, int selection) noexcept {
    return guarded<void*>(nullptr, [&] {
        auto copy = std::make_unique<KeyData>(keyData(data));
        const bool publicOnly = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0;
        if (publicOnly && copy->key && EVP_PKEY_up_ref(copy->key->publicKey.get()))
            copy->key =
                std::make_shared<const Key>(Key{Pkey(copy->key->publicKey.get()), std::nullopt, nullptr});
        return handOver(std::move(copy));
    });
}

int getParams(void* data, OSSL_PARAM* params) noexcept {
    const std::shared_ptr<const Key>& key = keyData(data).key;
    return key && EVP_PKEY_get_params(key->publicKey.get(), params);
}

template <KeyType type>
const OSSL_PARAM* gettableParams(void*) noexcept {
    static const OSSL_PARAM ec[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
                                    OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
                                    OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
                                    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
                                    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
                                    OSSL_PARAM_END};
    static const OSSL_PARAM rsa[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
                                     OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
                                     OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
                                     OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
                                     OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                     OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
                                     OSSL_PARAM_END};
    static const OSSL_PARAM ed25519[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
        OSSL_PARAM_END};
    return type == KeyType::ec ? ec : type == KeyType::rsa ? rsa : ed25519;
}

template <KeyType type>
const char* operationName(int operation) noexcept {
    if (operation != OSSL_OP_SIGNATURE) return nullptr;
    return type == KeyType::ec ? "ECDSA" : nameOf(type);
}

template <KeyType type>
const OSSL_DISPATCH* functions() noexcept {
    static const OSSL_DISPATCH table[] = {
        entry<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW, newKey<type>),
        entry<OSSL_FUNC_keymgmt_free_fn>(OSSL_FUNC_KEYMGMT_FREE, takeBack<KeyData>),
        entry<OSSL_FUNC_keymgmt_load_fn>(OSSL_FUNC_KEYMGMT_LOAD, load),
        entry<OSSL_FUNC_keymgmt_has_fn>(OSSL_FUNC_KEYMGMT_HAS, has),
        entry<OSSL_FUNC_keymgmt_match_fn>(OSSL_FUNC_KEYMGMT_MATCH, match),
        entry<OSSL_FUNC_keymgmt_import_fn>(OSSL_FUNC_KEYMGMT_IMPORT, import),
        entry<OSSL_FUNC_keymgmt_import_types_fn>(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, importTypes<type>),
        entry<OSSL_FUNC_keymgmt_dup_fn>(OSSL_FUNC_KEYMGMT_DUP, duplicate),
        entry<OSSL_FUNC_keymgmt_get_params_fn>(OSSL_FUNC_KEYMGMT_GET_PARAMS, getParams),
        entry<OSSL_FUNC_keymgmt_gettable_params_fn>(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettableParams<type>),
        entry<OSSL_FUNC_keymgmt_query_operation_name_fn>(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,
                                                         operationName<type>),
        endOfDispatch};
    return table;
}

}  // namespace

const OSSL_ALGORITHM* keyManagementAlgorithms() noexcept {
    static const OSSL_ALGORITHM table[] = {
        {ecNames, propertyDefinition, functions<KeyType::ec>(), "EC key kept by certmgr-keyd"},
        {rsaNames, propertyDefinition, functions<KeyType::rsa>(), "RSA key kept by certmgr-keyd"},
        {ed25519Names, propertyDefinition, functions<KeyType::ed25519>(), "Ed25519 key kept by certmgr-keyd"},
        endOfAlgorithms};
    return table;
}

}  // namespace hal::provider
