// OSSL_OP_ENCODER: the public half in the usual forms, written by the default provider; and in the place of a
// private key, the reference again.
#include <algorithm>

#include <openssl/core_names.h>
#include <openssl/encoder.h>

#include "hal/provider/dispatch.h"
#include "hal/provider/key.h"

namespace hal::provider {
namespace {

using EncoderContext = Handle<OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free>;

// A string as a template argument.
template <std::size_t size>
struct Text {
    constexpr Text(const char (&text)[size]) { std::copy_n(text, size, value); }
    char value[size];
};

template <Text output, Text structure>
int encodePublic(void* instance, OSSL_CORE_BIO* target, const void* data, const OSSL_PARAM*,
                 int /* selection */, OSSL_PASSPHRASE_CALLBACK*, void*) noexcept {
    return guarded(0, [&] {
        const auto* key = static_cast<const KeyData*>(data);
        if (!key || !key->key) return 0;
        const char* form = structure.value[0] ? structure.value : nullptr;
        const EncoderContext encoder(OSSL_ENCODER_CTX_new_for_pkey(
            key->key->publicKey.get(), OSSL_KEYMGMT_SELECT_PUBLIC_KEY | OSSL_KEYMGMT_SELECT_ALL_PARAMETERS,
            output.value, form, nullptr));
        const Bio bio = borrow(*static_cast<Instance*>(instance), target);
        return encoder ? OSSL_ENCODER_to_bio(encoder.get(), bio.get()) : 0;
    });
}

int encodeReference(void* instance, OSSL_CORE_BIO* target, const void* data, const OSSL_PARAM*,
                    int /* selection */, OSSL_PASSPHRASE_CALLBACK*, void*) noexcept {
    return guarded(0, [&] {
        const auto* key = static_cast<const KeyData*>(data);
        if (!key || !key->key || !key->key->reference) return 0;
        const std::string pem = toPem(*key->key->reference);
        std::size_t written = 0;
        return BIO_write_ex(borrow(*static_cast<Instance*>(instance), target).get(), pem.data(), pem.size(),
                            &written);
    });
}

void* newEncoder(void* instance) noexcept {
    return instance;
}
void freeEncoder(void*) noexcept {}
int selectsPublic(void*, int selection) noexcept {
    return (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
}
int selectsPrivate(void*, int selection) noexcept {
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
}

template <OSSL_FUNC_encoder_encode_fn* encode, OSSL_FUNC_encoder_does_selection_fn* selects>
const OSSL_DISPATCH* functions() noexcept {
    static const OSSL_DISPATCH table[] = {
        entry<OSSL_FUNC_encoder_newctx_fn>(OSSL_FUNC_ENCODER_NEWCTX, newEncoder),
        entry<OSSL_FUNC_encoder_freectx_fn>(OSSL_FUNC_ENCODER_FREECTX, freeEncoder),
        entry<OSSL_FUNC_encoder_does_selection_fn>(OSSL_FUNC_ENCODER_DOES_SELECTION, selects),
        entry<OSSL_FUNC_encoder_encode_fn>(OSSL_FUNC_ENCODER_ENCODE, encode), endOfDispatch};
    return table;
}

template <Text output, Text structure>
const OSSL_DISPATCH* publicFunctions() noexcept {
    return functions<encodePublic<output, structure>, selectsPublic>();
}

}  // namespace

const OSSL_ALGORITHM* encoderAlgorithms() noexcept {
    static constexpr char spkiDer[] = "provider=certmgr,output=der,structure=SubjectPublicKeyInfo";
    static constexpr char spkiPem[] = "provider=certmgr,output=pem,structure=SubjectPublicKeyInfo";
    static constexpr char specificDer[] = "provider=certmgr,output=der,structure=type-specific";
    static constexpr char specificPem[] = "provider=certmgr,output=pem,structure=type-specific";
    static constexpr char blob[] = "provider=certmgr,output=blob";
    static constexpr char text[] = "provider=certmgr,output=text";
    static constexpr char privatePem[] = "provider=certmgr,output=pem,structure=PrivateKeyInfo";
    static const OSSL_DISPATCH* reference = functions<encodeReference, selectsPrivate>();
    static const OSSL_ALGORITHM table[] = {
        {ecNames, spkiDer, publicFunctions<"DER", "SubjectPublicKeyInfo">(), nullptr},
        {ecNames, spkiPem, publicFunctions<"PEM", "SubjectPublicKeyInfo">(), nullptr},
        {ecNames, blob, publicFunctions<"blob", "">(), nullptr},
        {ecNames, text, publicFunctions<"TEXT", "">(), nullptr},
        {ecNames, privatePem, reference, nullptr},
        {rsaNames, spkiDer, publicFunctions<"DER", "SubjectPublicKeyInfo">(), nullptr},
        {rsaNames, spkiPem, publicFunctions<"PEM", "SubjectPublicKeyInfo">(), nullptr},
        {rsaNames, specificDer, publicFunctions<"DER", "type-specific">(), nullptr},
        {rsaNames, specificPem, publicFunctions<"PEM", "type-specific">(), nullptr},
        {rsaNames, text, publicFunctions<"TEXT", "">(), nullptr},
        {rsaNames, privatePem, reference, nullptr},
        {ed25519Names, spkiDer, publicFunctions<"DER", "SubjectPublicKeyInfo">(), nullptr},
        {ed25519Names, spkiPem, publicFunctions<"PEM", "SubjectPublicKeyInfo">(), nullptr},
        {ed25519Names, text, publicFunctions<"TEXT", "">(), nullptr},
        {ed25519Names, privatePem, reference, nullptr},
        endOfAlgorithms};
    return table;
}

}  // namespace hal::provider
