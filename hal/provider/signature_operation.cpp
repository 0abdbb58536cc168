#include "hal/provider/signature_operation.h"

#include <openssl/rsa.h>

#include "hal/client/messages.h"
#include "hal/error.h"
#include "hal/provider/algorithm_identifier.h"

namespace hal::provider {
namespace {

Error notSupported(const std::string& found) {
    return Error(ErrorKind::rejected, "not-supported", "certmgr-keyd does not sign that: " + found);
}

std::string text(Octets octets) {
    return std::string(octets.begin(), octets.end());
}

}  // namespace

SignatureOperation::SignatureOperation(Instance& instance)
    : instance_(instance), padding_(RSA_PKCS1_PADDING), saltLength_(RSA_PSS_SALTLEN_AUTO) {}

SignatureOperation::SignatureOperation(const SignatureOperation& other)
    : instance_(other.instance_),
      type_(other.type_),
      key_(other.key_),
      purpose_(other.purpose_),
      padding_(other.padding_),
      saltLength_(other.saltLength_),
      hash_(other.hash_),
      mgf1Hash_(other.mgf1Hash_) {
    if (!other.digest_) return;
    digest_.reset(EVP_MD_CTX_new());
    if (!digest_ || !EVP_MD_CTX_copy_ex(digest_.get(), other.digest_.get())) throw std::bad_alloc();
}

void SignatureOperation::begin(Purpose purpose, const KeyData* data) {
    if (data) {
        key_ = data->key;
        type_ = data->type;
    }
    purpose_ = purpose;
    hash_.reset();
    mgf1Hash_.reset();
    digest_.reset();
    if (purpose == Purpose::sign && !key().reference)
        throw Error(ErrorKind::rejected, "no-private-key",
                    "this is a public key; signing takes a key reference");
}

void SignatureOperation::beginDigest(std::string_view digestName) {
    hash_ = digestName.empty() ? Hash::sha256 : hashNamed(digestName);
    digest_.reset(EVP_MD_CTX_new());
    if (!digest_ || !EVP_DigestInit_ex2(digest_.get(), instance_.digest(*hash_), nullptr))
        throw std::bad_alloc();
}

void SignatureOperation::update(Octets part) {
    if (!digest_ || !EVP_DigestUpdate(digest_.get(), part.data(), part.size()))
        throw Error(ErrorKind::internal, "bad-order",
                    "data came for a signature that was not begun with a digest");
}

Bytes SignatureOperation::finishDigest() {
    Bytes digest(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    if (!digest_ || !EVP_DigestFinal_ex(digest_.get(), digest.data(), &size))
        throw Error(ErrorKind::internal, "bad-order",
                    "the end came for a signature that was not begun with a digest");
    digest.resize(size);
    return digest;
}

std::size_t SignatureOperation::maxSize() const {
    return static_cast<std::size_t>(EVP_PKEY_get_size(key().publicKey.get()));
}

Bytes SignatureOperation::sign(Octets digest) const {
    const Hash hash = hashFor(digest);
    SignatureScheme scheme = isRsa() ? SignatureScheme::rsaPkcs1 : SignatureScheme::ecdsa;
    if (isRsa() && padding_ == RSA_PKCS1_PSS_PADDING) {
        checkPss(hash);
        scheme = SignatureScheme::rsaPss;
    }
    const std::vector<std::string> reply = key().connection->call(
        wire::Operation::sign, {key().reference->id.text(), std::string(wire::toString(scheme)),
                                std::string(wire::toString(hash)), text(digest)});
    if (reply.size() != 1 || reply[0].empty() || reply[0].size() > maxSize())
        throw Error(ErrorKind::internal, "bad-message",
                    "certmgr-keyd answered with something that is no signature");
    return Bytes(reply[0].begin(), reply[0].end());
}

Bytes SignatureOperation::finishSigning() {
    return sign(finishDigest());
}

bool SignatureOperation::verify(Octets signature, Octets digest) const {
    const PkeyContext context(
        EVP_PKEY_CTX_new_from_pkey(instance_.library(), key().publicKey.get(), nullptr));
    if (!context || EVP_PKEY_verify_init(context.get()) <= 0) return false;
    if (hash_ && EVP_PKEY_CTX_set_signature_md(context.get(), instance_.digest(*hash_)) <= 0) return false;
    if (isRsa() && EVP_PKEY_CTX_set_rsa_padding(context.get(), padding_) <= 0) return false;
    if (isRsa() && padding_ == RSA_PKCS1_PSS_PADDING) {
        if (EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), saltLength_) <= 0) return false;
        if (mgf1Hash_ && EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), instance_.digest(*mgf1Hash_)) <= 0)
            return false;
    }
    return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) ==
           1;
}

bool SignatureOperation::finishVerifying(Octets signature) {
    return verify(signature, finishDigest());
}

void SignatureOperation::chooseDigest(std::string_view digestName) {
    const Hash hash = hashNamed(digestName);
    if (digest_ && hash != hash_)
        throw Error(ErrorKind::rejected, "bad-order",
                    "the digest cannot be changed while it is being computed");
    hash_ = hash;
}

void SignatureOperation::chooseMgf1Digest(std::string_view digestName) {
    mgf1Hash_ = hashNamed(digestName);
}

void SignatureOperation::choosePadding(int padding) {
    if (padding != RSA_PKCS1_PADDING && padding != RSA_PKCS1_PSS_PADDING)
        throw notSupported("an RSA padding other than PKCS#1 and PSS");
    padding_ = padding;
}

void SignatureOperation::chooseSaltLength(int saltLength) {
    if (saltLength < RSA_PSS_SALTLEN_MAX)
        throw notSupported("a PSS salt length of " + std::to_string(saltLength));
    saltLength_ = saltLength;
}

const char* SignatureOperation::digestName() const noexcept {
    return hash_ ? EVP_MD_get0_name(instance_.digest(*hash_)) : "";
}

Bytes SignatureOperation::algorithmIdentifier() const {
    if (!hash_)
        throw Error(ErrorKind::rejected, "bad-order", "the digest of the signature was not chosen yet");
    if (!isRsa()) return provider::algorithmIdentifier(SignatureScheme::ecdsa, *hash_);
    if (padding_ != RSA_PKCS1_PSS_PADDING)
        return provider::algorithmIdentifier(SignatureScheme::rsaPkcs1, *hash_);
    checkPss(*hash_);
    return provider::algorithmIdentifier(SignatureScheme::rsaPss, *hash_);
}

const Key& SignatureOperation::key() const {
    if (!key_) throw Error(ErrorKind::rejected, "no-key", "the operation has no key, or an empty one");
    return *key_;
}

Hash SignatureOperation::hashNamed(std::string_view digestName) const {
    if (const std::optional<Hash> hash = instance_.hashNamed(digestName)) return *hash;
    throw notSupported("digest " + std::string(digestName) + "; choose SHA-256, SHA-384 or SHA-512");
}

Hash SignatureOperation::hashFor(Octets digest) const {
    if (hash_ && digest.size() == sizeOf(*hash_)) return *hash_;
    if (hash_) throw notSupported("a digest whose length is not that of " + std::string(digestName()));
    // RFC 8017 9.2: PKCS#1 signs the digest's name too, so a length is enough for ECDSA only.
    if (isRsa()) throw notSupported("a bare value with an RSA key; choose the digest first");
    for (const Hash hash : {Hash::sha256, Hash::sha384, Hash::sha512})
        if (digest.size() == sizeOf(hash)) return hash;
    throw notSupported("a value of " + std::to_string(digest.size()) +
                       " octets, which is the length of no SHA-2 digest");
}

// The salt that keyd takes is as long as the digest; `auto` leaves the choice to the signer.
void SignatureOperation::checkPss(Hash hash) const {
    const bool saltFits = saltLength_ == RSA_PSS_SALTLEN_DIGEST || saltLength_ == RSA_PSS_SALTLEN_AUTO ||
                          saltLength_ == static_cast<int>(sizeOf(hash));
    if (!saltFits) throw notSupported("a PSS salt whose length is not the digest's");
    if (mgf1Hash_ && mgf1Hash_ != hash) throw notSupported("PSS with another digest in MGF1");
}

}  // namespace hal::provider
