#include "hal/keyd/tpm_templates.h"

#include <algorithm>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

#include "hal/error.h"
#include "hal/keyd/software_key.h"

namespace hal::keyd {
namespace {

using Params = Handle<OSSL_PARAM, OSSL_PARAM_free>;
using ParamBuilder = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using EcdsaSignature = Handle<ECDSA_SIG, ECDSA_SIG_free>;

constexpr std::uint32_t defaultExponent = 65537;  // what a TPM means by exponent 0

// noda: a service's key must sign on while somebody else's wrong passwords have the TPM locked out.
constexpr TPMA_OBJECT commonAttributes =
    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;

TPM2B_PUBLIC areaOf(TPMI_ALG_PUBLIC type, TPMA_OBJECT attributes) {
    TPM2B_PUBLIC area{};
    area.publicArea.type = type;
    area.publicArea.nameAlg = TPM2_ALG_SHA256;
    area.publicArea.objectAttributes = attributes;
    return area;
}

TPM2B_PUBLIC eccArea(TPMI_ECC_CURVE curve, TPMA_OBJECT attributes) {
    TPM2B_PUBLIC area = areaOf(TPM2_ALG_ECC, attributes);
    TPMS_ECC_PARMS& parameters = area.publicArea.parameters.eccDetail;
    parameters.symmetric.algorithm = TPM2_ALG_NULL;
    parameters.scheme.scheme = TPM2_ALG_NULL;
    parameters.curveID = curve;
    parameters.kdf.scheme = TPM2_ALG_NULL;
    return area;
}

// With `decrypt`, the TPM gives the bare RSA operation, and the padding is ours. A TPM's own PSS takes the
// longest salt there is room for (TPM 2.0 Part 1, B.7), where RFC 8446 4.2.3 demands one as long as the
// digest.
TPM2B_PUBLIC rsaArea(TPMI_RSA_KEY_BITS bits, TPMA_OBJECT attributes) {
    TPM2B_PUBLIC area = areaOf(TPM2_ALG_RSA, attributes | TPMA_OBJECT_DECRYPT);
    TPMS_RSA_PARMS& parameters = area.publicArea.parameters.rsaDetail;
    parameters.symmetric.algorithm = TPM2_ALG_NULL;
    parameters.scheme.scheme = TPM2_ALG_NULL;
    parameters.keyBits = bits;
    return area;
}

BigNumber numberOf(const BYTE* data, UINT16 size) {
    BigNumber number(BN_bin2bn(data, size, nullptr));
    require(static_cast<bool>(number), "BN_bin2bn");
    return number;
}

// A TPM may leave out leading zeros; a point (SEC 1, 2.3.3) has both coordinates at full length.
Bytes pointOf(const TPMS_ECC_POINT& point, std::size_t length) {
    Bytes encoded(1 + 2 * length);
    encoded[0] = POINT_CONVERSION_UNCOMPRESSED;
    require(point.x.size <= length && point.y.size <= length, "reading the TPM's EC point");
    std::copy_n(point.x.buffer, point.x.size, encoded.data() + 1 + length - point.x.size);
    std::copy_n(point.y.buffer, point.y.size, encoded.data() + 1 + 2 * length - point.y.size);
    return encoded;
}

Bytes derOf(const char* type, OSSL_PARAM_BLD* builder) {
    const Params parameters(OSSL_PARAM_BLD_to_param(builder));
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    require(parameters && context && EVP_PKEY_fromdata_init(context.get()) > 0, "EVP_PKEY_fromdata_init");
    EVP_PKEY* key = nullptr;
    require(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) > 0,
            "EVP_PKEY_fromdata");
    return publicDer(Pkey(key));
}

}  // namespace

TPM2B_PUBLIC storageKeyTemplate() {
    TPM2B_PUBLIC area = eccArea(TPM2_ECC_NIST_P256, commonAttributes | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                                                        TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT);
    TPMT_SYM_DEF_OBJECT& symmetric = area.publicArea.parameters.eccDetail.symmetric;
    symmetric.algorithm = TPM2_ALG_AES;
    symmetric.keyBits.aes = 128;
    symmetric.mode.aes = TPM2_ALG_CFB;
    return area;
}

TPM2B_PUBLIC signingKeyTemplate(KeyAlgorithm algorithm) {
    constexpr TPMA_OBJECT attributes =
        commonAttributes | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_SIGN_ENCRYPT;
    switch (algorithm) {
        case KeyAlgorithm::ecP256:
            return eccArea(TPM2_ECC_NIST_P256, attributes);
        case KeyAlgorithm::ecP384:
            return eccArea(TPM2_ECC_NIST_P384, attributes);
        case KeyAlgorithm::rsa2048:
            return rsaArea(2048, attributes);
        case KeyAlgorithm::rsa3072:
            return rsaArea(3072, attributes);
        case KeyAlgorithm::rsa4096:
        case KeyAlgorithm::ed25519:
            break;
    }
    throw notSupported("no TPM makes keys of the kind " + std::string(toString(algorithm)));
}

TPM2B_PUBLIC sealedDataTemplate() {
    TPM2B_PUBLIC area = areaOf(TPM2_ALG_KEYEDHASH, commonAttributes);
    area.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
    return area;
}

bool isStorageKey(const TPM2B_PUBLIC& area) {
    constexpr TPMA_OBJECT needed =
        TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_FIXEDTPM;
    return (area.publicArea.type == TPM2_ALG_ECC || area.publicArea.type == TPM2_ALG_RSA) &&
           (area.publicArea.objectAttributes & needed) == needed;
}

Bytes publicKeyDer(const TPM2B_PUBLIC& area) {
    const TPMT_PUBLIC& key = area.publicArea;
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    require(static_cast<bool>(builder), "OSSL_PARAM_BLD_new");
    if (key.type == TPM2_ALG_RSA) {
        const BigNumber modulus = numberOf(key.unique.rsa.buffer, key.unique.rsa.size);
        const std::uint32_t exponent = key.parameters.rsaDetail.exponent;
        require(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) &&
                    OSSL_PARAM_BLD_push_uint32(builder.get(), OSSL_PKEY_PARAM_RSA_E,
                                               exponent ? exponent : defaultExponent),
                "OSSL_PARAM_BLD_push");
        return derOf("RSA", builder.get());
    }
    const bool p256 = key.parameters.eccDetail.curveID == TPM2_ECC_NIST_P256;
    const Bytes point = pointOf(key.unique.ecc, p256 ? 32 : 48);
    require(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                            p256 ? "P-256" : "P-384", 0) &&
                OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                                 point.size()),
            "OSSL_PARAM_BLD_push");
    return derOf("EC", builder.get());
}

Bytes ecdsaDer(const TPMS_SIGNATURE_ECDSA& signature) {
    const EcdsaSignature value(ECDSA_SIG_new());
    BigNumber r = numberOf(signature.signatureR.buffer, signature.signatureR.size);
    BigNumber s = numberOf(signature.signatureS.buffer, signature.signatureS.size);
    require(value && ECDSA_SIG_set0(value.get(), r.get(), s.get()), "ECDSA_SIG_set0");
    static_cast<void>(r.release());  // they are the signature's now
    static_cast<void>(s.release());
    unsigned char* encoded = nullptr;
    const int size = i2d_ECDSA_SIG(value.get(), &encoded);
    require(size > 0, "i2d_ECDSA_SIG");
    const Bytes der(encoded, encoded + size);
    OPENSSL_free(encoded);
    return der;
}

}  // namespace hal::keyd
