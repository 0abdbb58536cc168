#include "hal/provider/algorithm_identifier.h"

#include <new>

#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace hal::provider {
namespace {

using Algorithm = Handle<X509_ALGOR, X509_ALGOR_free>;
using PssParameters = Handle<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free>;
using String = Handle<ASN1_STRING, ASN1_STRING_free>;

template <class T>
T* allocated(T* made) {
    if (!made) throw std::bad_alloc();
    return made;
}

int digestNid(Hash hash) noexcept {
    switch (hash) {
        case Hash::sha256:
            return NID_sha256;
        case Hash::sha384:
            return NID_sha384;
        case Hash::sha512:
            return NID_sha512;
    }
    return NID_undef;
}

Algorithm algorithm(int nid, int parameterType, String parameter = nullptr) {
    Algorithm made(allocated(X509_ALGOR_new()));
    if (!X509_ALGOR_set0(made.get(), OBJ_nid2obj(nid), parameterType, parameter.get()))
        throw std::bad_alloc();
    static_cast<void>(parameter.release());  // it is the algorithm's now
    return made;
}

template <class T>
String packed(const ASN1_ITEM* item, const T& value) {
    return String(allocated(ASN1_item_pack(const_cast<T*>(&value), item, nullptr)));
}

// RFC 8017 A.2.3; the digest's parameters are NULL (RFC 4055 2.1).
Algorithm pss(Hash hash) {
    const PssParameters parameters(allocated(RSA_PSS_PARAMS_new()));
    parameters->hashAlgorithm = algorithm(digestNid(hash), V_ASN1_NULL).release();
    const Algorithm mgf1Digest = algorithm(digestNid(hash), V_ASN1_NULL);
    parameters->maskGenAlgorithm =
        algorithm(NID_mgf1, V_ASN1_SEQUENCE, packed(ASN1_ITEM_rptr(X509_ALGOR), *mgf1Digest)).release();
    parameters->saltLength = allocated(ASN1_INTEGER_new());
    if (!ASN1_INTEGER_set(parameters->saltLength, static_cast<long>(sizeOf(hash)))) throw std::bad_alloc();
    return algorithm(NID_rsassaPss, V_ASN1_SEQUENCE, packed(ASN1_ITEM_rptr(RSA_PSS_PARAMS), *parameters));
}

Algorithm withDigest(Hash hash, int keyNid, int parameterType) {
    int nid = NID_undef;
    OBJ_find_sigid_by_algs(&nid, digestNid(hash), keyNid);
    return algorithm(nid, parameterType);
}

}  // namespace

Bytes algorithmIdentifier(SignatureScheme scheme, Hash hash) {
    const Algorithm made = scheme == SignatureScheme::rsaPss ? pss(hash)
                           : scheme == SignatureScheme::rsaPkcs1
                               ? withDigest(hash, NID_rsaEncryption, V_ASN1_NULL)
                               : withDigest(hash, NID_X9_62_id_ecPublicKey, V_ASN1_UNDEF);
    const int size = i2d_X509_ALGOR(made.get(), nullptr);
    if (size <= 0) throw std::bad_alloc();
    Bytes der(static_cast<std::size_t>(size));
    unsigned char* position = der.data();
    i2d_X509_ALGOR(made.get(), &position);
    return der;
}

std::size_t sizeOf(Hash hash) noexcept {
    switch (hash) {
        case Hash::sha256:
            return 32;
        case Hash::sha384:
            return 48;
        case Hash::sha512:
            return 64;
    }
    return 0;
}

}  // namespace hal::provider
