#include "hal/client/reference.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "hal/error.h"

namespace hal {
namespace {

void freeSequence(ASN1_SEQUENCE_ANY* sequence) {
    sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free);
}
void freeBuffer(void* buffer) {
    OPENSSL_free(buffer);
}

using Sequence = Handle<ASN1_SEQUENCE_ANY, freeSequence>;
using Element = Handle<ASN1_TYPE, ASN1_TYPE_free>;
using String = Handle<ASN1_STRING, ASN1_STRING_free>;
template <class T>
using Buffer = Handle<T, freeBuffer>;

// Inside a service, what we tried and failed to decode is no error of that service's.
struct QuietErrors {
    QuietErrors() { ERR_set_mark(); }
    ~QuietErrors() { ERR_pop_to_mark(); }
    QuietErrors(const QuietErrors&) = delete;
    QuietErrors& operator=(const QuietErrors&) = delete;
};

Error badReference(const std::string& found) {
    return Error(ErrorKind::rejected, "bad-reference",
                 "this is not a key reference (PEM \"CERTMGR KEY\"): " + found);
}

template <class T>
T& allocated(T* made) {
    if (!made) throw Error(ErrorKind::internal, "out-of-memory", "no memory for a key reference");
    return *made;
}

void push(ASN1_SEQUENCE_ANY& sequence, int type, const void* data, std::size_t size) {
    String value(&allocated(ASN1_STRING_type_new(type)));
    Element element(&allocated(ASN1_TYPE_new()));
    if (!ASN1_STRING_set(value.get(), data, static_cast<int>(size))) allocated<void*>(nullptr);
    ASN1_TYPE_set(element.get(), type, value.release());
    if (!sk_ASN1_TYPE_push(&sequence, element.get())) allocated<void*>(nullptr);
    static_cast<void>(element.release());  // the sequence owns it now
}

std::string_view element(const ASN1_SEQUENCE_ANY& sequence, int index, int type) {
    const ASN1_TYPE* entry = sk_ASN1_TYPE_value(&sequence, index);
    if (entry->type != type) throw badReference("field " + std::to_string(index + 1) + " has another type");
    const ASN1_STRING* value = entry->value.asn1_string;
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
            static_cast<std::size_t>(ASN1_STRING_length(value))};
}

}  // namespace

Bytes toDer(const KeyReference& reference) {
    const Sequence sequence(&allocated(sk_ASN1_TYPE_new_null()));
    push(*sequence, V_ASN1_UTF8STRING, reference.socketPath.data(), reference.socketPath.size());
    push(*sequence, V_ASN1_UTF8STRING, reference.id.text().data(), reference.id.text().size());
    push(*sequence, V_ASN1_OCTET_STRING, reference.publicKey.data(), reference.publicKey.size());
    unsigned char* encoded = nullptr;
    const int size = i2d_ASN1_SEQUENCE_ANY(sequence.get(), &encoded);
    const Buffer<unsigned char> owner(encoded);
    if (size < 0) allocated<void*>(nullptr);
    return Bytes(encoded, encoded + size);
}

KeyReference keyReferenceFromDer(std::span<const std::uint8_t> der) {
    const QuietErrors quiet;
    const unsigned char* position = der.data();
    const Sequence sequence(d2i_ASN1_SEQUENCE_ANY(nullptr, &position, static_cast<long>(der.size())));
    if (!sequence) throw badReference("it is no DER sequence");
    if (position != der.data() + der.size()) throw badReference("bytes follow the sequence");
    if (sk_ASN1_TYPE_num(sequence.get()) != 3) throw badReference("it has not three fields");
    const std::string_view path = element(*sequence, 0, V_ASN1_UTF8STRING);
    const std::optional<KeyId> id = KeyId::parse(element(*sequence, 1, V_ASN1_UTF8STRING));
    const std::string_view publicKey = element(*sequence, 2, V_ASN1_OCTET_STRING);
    if (!path.starts_with('/') || path.find('\0') != std::string_view::npos)
        throw badReference("the socket is not an absolute path");
    if (!id) throw badReference("the key id is not 32 hexadecimal digits");
    return {std::string(path), *id, Bytes(publicKey.begin(), publicKey.end())};
}

std::string toPem(const KeyReference& reference) {
    const Bytes der = toDer(reference);
    const Bio bio(&allocated(BIO_new(BIO_s_mem())));
    if (PEM_write_bio(bio.get(), keyReferenceLabel, "", der.data(), static_cast<long>(der.size())) <= 0)
        allocated<void*>(nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

KeyReference keyReferenceFromPem(std::string_view pem) {
    const QuietErrors quiet;
    const Bio bio(&allocated(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))));
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    const bool read = PEM_read_bio(bio.get(), &label, &header, &data, &size) == 1;
    const Buffer<char> labelOwner(label);
    const Buffer<char> headerOwner(header);
    const Buffer<unsigned char> dataOwner(data);
    if (!read) throw badReference("it is no PEM");
    if (label != std::string_view(keyReferenceLabel))
        throw badReference("its label is " + std::string(label));
    return keyReferenceFromDer({data, static_cast<std::size_t>(size)});
}

}  // namespace hal
