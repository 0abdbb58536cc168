#include "certmgr/crypto/derivation.h"

#include <limits>
#include <string>

#include <openssl/pkcs12.h>

#include "certmgr/core/error.h"
#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {
namespace {

using PbeParameters = hal::Handle<PBEPARAM, PBEPARAM_free>;
using Pbes2Parameters = hal::Handle<PBE2PARAM, PBE2PARAM_free>;
using Pbkdf2Parameters = hal::Handle<PBKDF2PARAM, PBKDF2PARAM_free>;
using ScryptParameters = hal::Handle<SCRYPT_PARAMS, SCRYPT_PARAMS_free>;

constexpr std::uint64_t beyondAll = std::numeric_limits<std::uint64_t>::max();

template <class Pointer>
Pointer unpack(const ASN1_ITEM* item, const ASN1_TYPE* parameters) {
    Pointer value(static_cast<typename Pointer::pointer>(ASN1_TYPE_unpack_sequence(item, parameters)));
    ERR_clear_error();
    return value;
}

std::uint64_t valueOf(const ASN1_INTEGER* number) {
    std::uint64_t value = 0;
    if (ASN1_INTEGER_get_uint64(&value, number) == 1) return value;
    ERR_clear_error();
    return beyondAll;
}

std::uint64_t product(std::uint64_t one, std::uint64_t other) {
    std::uint64_t result = 0;
    return __builtin_mul_overflow(one, other, &result) ? beyondAll : result;
}

// RFC 7914: the work is the product of the three numbers, and a unit of it is about one iteration of PBKDF2.
std::uint64_t costOf(const SCRYPT_PARAMS& scrypt) {
    return product(product(valueOf(scrypt.costParameter), valueOf(scrypt.blockSize)),
                   valueOf(scrypt.parallelizationParameter));
}

std::uint64_t costOfPbes2(const X509_ALGOR& encryption) {
    const auto scheme = unpack<Pbes2Parameters>(ASN1_ITEM_rptr(PBE2PARAM), encryption.parameter);
    if (!scheme) return 0;
    const ASN1_TYPE* parameters = scheme->keyfunc->parameter;
    if (const auto pbkdf2 = unpack<Pbkdf2Parameters>(ASN1_ITEM_rptr(PBKDF2PARAM), parameters);
        pbkdf2 && OBJ_obj2nid(scheme->keyfunc->algorithm) == NID_id_pbkdf2)
        return valueOf(pbkdf2->iter);
    if (const auto scrypt = unpack<ScryptParameters>(ASN1_ITEM_rptr(SCRYPT_PARAMS), parameters);
        scrypt && OBJ_obj2nid(scheme->keyfunc->algorithm) == NID_id_scrypt)
        return costOf(*scrypt);
    return 0;
}

}  // namespace

void DerivationBudget::spend(const X509_ALGOR& encryption) {
    if (OBJ_obj2nid(encryption.algorithm) == NID_pbes2) return take(costOfPbes2(encryption));
    const auto scheme = unpack<PbeParameters>(ASN1_ITEM_rptr(PBEPARAM), encryption.parameter);
    if (scheme) take(scheme->iter ? valueOf(scheme->iter) : 1);
}

void DerivationBudget::spend(const ASN1_INTEGER* iterations) {
    take(iterations ? valueOf(iterations) : 1);
}

void DerivationBudget::take(std::uint64_t cost) {
    if (cost > left_)
        throw Error(
            ErrorKind::rejected, "too-costly",
            "the passphrase would have to be hashed more than " + std::to_string(maximumIterations) +
                " times to open the upload: write the file anew with fewer iterations (openssl pkcs12 "
                "-export, or openssl pkcs8 -topk8)");
    left_ -= cost;
}

}  // namespace certmgr::crypto
