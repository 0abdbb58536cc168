// The private key of an upload: which of those that were brought is the leaf's, and whether the key store
// takes it.
#include <algorithm>
#include <array>

#include <openssl/core_names.h>

#include "certmgr/crypto/openssl.h"
#include "certmgr/crypto/upload.h"

namespace certmgr::crypto {
namespace {

// In the words of hal, which decides what it takes.
std::string kindOfKey(const EVP_PKEY& key) {
    if (EVP_PKEY_is_a(&key, "RSA")) return "rsa-" + std::to_string(EVP_PKEY_get_bits(&key));
    if (EVP_PKEY_is_a(&key, "ED25519")) return "ed25519";
    if (!EVP_PKEY_is_a(&key, "EC")) return EVP_PKEY_get0_type_name(&key);
    std::array<char, 64> group{};
    if (EVP_PKEY_get_group_name(&key, group.data(), group.size(), nullptr) != 1) {
        ERR_clear_error();
        return "EC with explicit parameters";
    }
    const std::string_view name = group.data();
    if (name == "prime256v1") return "ec-p256";
    if (name == "secp384r1") return "ec-p384";
    if (name == "secp521r1") return "ec-p521";
    return "EC on " + std::string(name);
}

std::string supportedAlgorithms() {
    std::string list;
    for (const std::string_view word :
         {"rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384", "ec-p521", "ed25519"})
        if (hal::keyAlgorithmFrom(word)) list += (list.empty() ? "" : ", ") + std::string(word);
    return list;
}

hal::BigNumber number(const EVP_PKEY& key, const char* name) {
    BIGNUM* value = nullptr;
    if (EVP_PKEY_get_bn_param(&key, name, &value) != 1) ERR_clear_error();
    return hal::BigNumber(value);
}

// The key store tests the factors for being primes, which takes minutes where they are absurdly large.
bool factorsBelong(const EVP_PKEY& key) {
    if (!EVP_PKEY_is_a(&key, "RSA")) return true;
    const hal::BigNumber n = number(key, OSSL_PKEY_PARAM_RSA_N), p = number(key, OSSL_PKEY_PARAM_RSA_FACTOR1),
                         q = number(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
    if (!n || !p || !q || BN_num_bits(p.get()) + BN_num_bits(q.get()) > BN_num_bits(n.get()) + 1)
        return false;
    const hal::Handle<BN_CTX, BN_CTX_free> context(check(BN_CTX_new(), "BN_CTX_new"));
    const hal::BigNumber product(check(BN_new(), "BN_new"));
    check(BN_mul(product.get(), p.get(), q.get(), context.get()), "BN_mul");
    return BN_cmp(product.get(), n.get()) == 0;
}

Finding mismatch(const UploadParts& parts, const X509& leaf) {
    std::string found;
    for (const hal::Pkey& key : parts.keys) found += (found.empty() ? "" : ", ") + kindOfKey(*key);
    const bool one = parts.keys.size() == 1;
    return {"key-mismatch", std::string(one ? "the private key (" : "none of the private keys (") + found +
                                (one ? ") does not belong" : ") belongs") + " to the certificate of " +
                                subjectOf(leaf) + ", which has " + kindOfKey(*X509_get0_pubkey(&leaf)) +
                                ": give the key that its request was made with"};
}

}  // namespace

std::optional<Finding> whyKeyNotKept(const X509& leaf) {
    const std::string algorithm = kindOfKey(*X509_get0_pubkey(&leaf));
    if (hal::keyAlgorithmFrom(algorithm)) return std::nullopt;
    return Finding{"key-not-supported", "the key of " + subjectOf(leaf) + " is " + algorithm +
                                            "; the key store of this box takes " + supportedAlgorithms() +
                                            ": have a certificate issued for such a key"};
}

hal::Pkey fittingKey(UploadParts& parts, const X509& leaf, std::vector<Finding>& findings) {
    const auto key = std::find_if(parts.keys.begin(), parts.keys.end(), [&](const hal::Pkey& candidate) {
        return EVP_PKEY_eq(X509_get0_pubkey(&leaf), candidate.get()) == 1;
    });
    ERR_clear_error();
    if (key != parts.keys.end()) {
        if (factorsBelong(**key)) return std::move(*key);
        findings.push_back({"bad-key", "the private key of " + subjectOf(leaf) +
                                           " has numbers that do not belong together: export it again"});
        return {};
    }
    if (!parts.keys.empty()) findings.push_back(mismatch(parts, leaf));
    findings.insert(findings.end(), parts.unreadableKeys.begin(), parts.unreadableKeys.end());
    if (parts.keys.empty() && parts.unreadableKeys.empty())
        findings.push_back({"no-key", "there is no private key in the upload: expected the one of " +
                                          subjectOf(leaf) + " beside its certificate"});
    return {};
}

}  // namespace certmgr::crypto
