// OSSL_OP_DECODER: PEM "CERTMGR KEY" to DER, and that DER to a key. PEM_read_PrivateKey, OSSL_STORE and
// OSSL_DECODER all find their way through the two steps.
#include <array>

#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include "hal/error.h"
#include "hal/provider/dispatch.h"
#include "hal/provider/key.h"

namespace hal::provider {
namespace {

constexpr char structureName[] = "certmgr-key-reference";
constexpr std::size_t maxReference = 8 * 1024;  // a path, an id and an RSA public key are far less

void freeBuffer(void* buffer) noexcept {
    OPENSSL_free(buffer);
}
template <class T>
using Buffer = Handle<T, freeBuffer>;

// Keeps what libcrypto complained about while we looked at others' input out of the service's error queue.
class QuietErrors {
  public:
    QuietErrors() { ERR_set_mark(); }
    ~QuietErrors() { ERR_pop_to_mark(); }
    QuietErrors(const QuietErrors&) = delete;
    QuietErrors& operator=(const QuietErrors&) = delete;
};

struct PemBlock {
    std::string label;
    Bytes body;
};

// The next block; empty where there is none.
std::optional<PemBlock> readPem(BIO* bio) {
    const QuietErrors quiet;
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    const bool read = PEM_read_bio(bio, &label, &header, &data, &size) == 1;
    const Buffer<char> labelOwner(label);
    const Buffer<char> headerOwner(header);
    const Buffer<unsigned char> dataOwner(data);
    if (!read) return std::nullopt;
    return PemBlock{label, Bytes(data, data + size)};
}

// Empty where the input is longer than any reference.
std::optional<Bytes> readDer(BIO* bio) {
    Bytes der(maxReference + 1);
    std::size_t used = 0;
    for (std::size_t count = 0; used < der.size(); used += count)
        if (!BIO_read_ex(bio, der.data() + used, der.size() - used, &count) || count == 0) break;
    if (used > maxReference) return std::nullopt;
    der.resize(used);
    return der;
}

int offer(OSSL_CALLBACK* callback, void* argument, const char* descriptionKey, const char* description,
          const char* contentKey, void* content, std::size_t size) {
    int object = OSSL_OBJECT_PKEY;
    const std::array<OSSL_PARAM, 4> params{
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object),
        OSSL_PARAM_construct_utf8_string(descriptionKey, const_cast<char*>(description), 0),
        OSSL_PARAM_construct_octet_string(contentKey, content, size), OSSL_PARAM_construct_end()};
    return callback(params.data(), argument);
}

std::optional<KeyReference> readReference(const Bytes& der) {
    try {
        return keyReferenceFromDer(der);
    } catch (const Error&) {
        return std::nullopt;
    }
}

// Both decoders return 1 without a word when the input is not theirs: another decoder may know it.
int pemToDer(void* instance, OSSL_CORE_BIO* input, int /* selection */, OSSL_CALLBACK* callback,
             void* argument, OSSL_PASSPHRASE_CALLBACK*, void*) noexcept {
    return guarded(0, [&] {
        const Bio bio = borrow(*static_cast<Instance*>(instance), input);
        std::optional<PemBlock> block = readPem(bio.get());
        if (!block || block->label != keyReferenceLabel) return 1;
        keyReferenceFromDer(block->body);  // a damaged one is to be told what is wrong with it
        return offer(callback, argument, OSSL_OBJECT_PARAM_DATA_STRUCTURE, structureName,
                     OSSL_OBJECT_PARAM_DATA, block->body.data(), block->body.size());
    });
}

template <KeyType type>
int derToKey(void* instance, OSSL_CORE_BIO* input, int /* selection */, OSSL_CALLBACK* callback,
             void* argument, OSSL_PASSPHRASE_CALLBACK*, void*) noexcept {
    return guarded(0, [&] {
        auto& owner = *static_cast<Instance*>(instance);
        const std::optional<Bytes> der = readDer(borrow(owner, input).get());
        if (!der) return 1;
        std::optional<KeyReference> reference = readReference(*der);
        if (!reference) return 1;
        std::unique_ptr<KeyData> key = keyFromReference(owner, type, *std::move(reference));
        if (!key) return 1;
        std::unique_ptr<KeyData>* place = &key;
        return offer(callback, argument, OSSL_OBJECT_PARAM_DATA_TYPE, nameOf(type),
                     OSSL_OBJECT_PARAM_REFERENCE, &place, sizeof(void*));
    });
}

void* newDecoder(void* instance) noexcept {
    return instance;
}
void freeDecoder(void*) noexcept {}
int selects(void*, int selection) noexcept {
    return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
}

template <OSSL_FUNC_decoder_decode_fn* decode>
const OSSL_DISPATCH* functions() noexcept {
    static const OSSL_DISPATCH table[] = {
        entry<OSSL_FUNC_decoder_newctx_fn>(OSSL_FUNC_DECODER_NEWCTX, newDecoder),
        entry<OSSL_FUNC_decoder_freectx_fn>(OSSL_FUNC_DECODER_FREECTX, freeDecoder),
        entry<OSSL_FUNC_decoder_does_selection_fn>(OSSL_FUNC_DECODER_DOES_SELECTION, selects),
        entry<OSSL_FUNC_decoder_decode_fn>(OSSL_FUNC_DECODER_DECODE, decode), endOfDispatch};
    return table;
}

}  // namespace

const OSSL_ALGORITHM* decoderAlgorithms() noexcept {
    static constexpr char fromPem[] = "provider=certmgr,input=pem";
    static constexpr char fromDer[] = "provider=certmgr,input=der,structure=certmgr-key-reference";
    static const OSSL_ALGORITHM table[] = {
        {"DER", fromPem, functions<pemToDer>(), "key reference of certmgr-keyd, PEM to DER"},
        {ecNames, fromDer, functions<derToKey<KeyType::ec>>(), "key reference of certmgr-keyd to EC key"},
        {rsaNames, fromDer, functions<derToKey<KeyType::rsa>>(), "key reference of certmgr-keyd to RSA key"},
        {ed25519Names, fromDer, functions<derToKey<KeyType::ed25519>>(),
         "key reference of certmgr-keyd to Ed25519 key"},
        endOfAlgorithms};
    return table;
}

}  // namespace hal::provider
