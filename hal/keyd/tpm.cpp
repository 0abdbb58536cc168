#include "hal/keyd/tpm.h"

#include <algorithm>
#include <array>

#include <tss2/tss2_mu.h>

#include "hal/client/wire.h"
#include "hal/keyd/tpm_error.h"
#include "hal/keyd/tpm_session.h"
#include "hal/keyd/tpm_templates.h"

namespace hal::keyd {
namespace {

constexpr TPM2B_DATA noOutsideInfo{};
constexpr TPML_PCR_SELECTION noPcrs{};

template <class T, class Marshal>
Bytes marshalled(const T& value, Marshal marshal) {
    Bytes bytes(sizeof(T) + 2);
    std::size_t size = 0;
    checkTpm(marshal(&value, bytes.data(), bytes.size(), &size), "marshalling");
    bytes.resize(size);
    return bytes;
}

// Encrypts the first parameter of a command or response on the way to and from the chip: the bus can be
// listened to.
class EncryptedSession {
  public:
    EncryptedSession(ESYS_CONTEXT* esys, ESYS_TR saltKey, TPMA_SESSION direction) : esys_(esys) {
        TPMT_SYM_DEF symmetric{};
        symmetric.algorithm = TPM2_ALG_AES;
        symmetric.keyBits.aes = 128;
        symmetric.mode.aes = TPM2_ALG_CFB;
        checkTpm(Esys_StartAuthSession(esys, saltKey, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                       nullptr, TPM2_SE_HMAC, &symmetric, TPM2_ALG_SHA256, &session_),
                 "TPM2_StartAuthSession");
        constexpr TPMA_SESSION directions = TPMA_SESSION_ENCRYPT | TPMA_SESSION_DECRYPT;
        Esys_TRSess_SetAttributes(esys, session_, direction | TPMA_SESSION_CONTINUESESSION,
                                  directions | TPMA_SESSION_CONTINUESESSION);
    }
    ~EncryptedSession() { Esys_FlushContext(esys_, session_); }
    EncryptedSession(const EncryptedSession&) = delete;
    EncryptedSession& operator=(const EncryptedSession&) = delete;
    ESYS_TR get() const noexcept { return session_; }

  private:
    ESYS_CONTEXT* esys_;
    ESYS_TR session_ = ESYS_TR_NONE;
};

TpmKey createUnder(const TpmSession& session, const StorageParent& parent, const TPM2B_PUBLIC& area,
                   const TPM2B_SENSITIVE_CREATE& sensitive, ESYS_TR encryption) {
    TPM2B_PRIVATE* privateArea = nullptr;
    TPM2B_PUBLIC* publicArea = nullptr;
    checkTpm(
        Esys_Create(session.esys(), parent.object, ESYS_TR_PASSWORD, encryption, ESYS_TR_NONE, &sensitive,
                    &area, &noOutsideInfo, &noPcrs, &privateArea, &publicArea, nullptr, nullptr, nullptr),
        "TPM2_Create");
    const EsysBuffer<TPM2B_PRIVATE> privateOwner(privateArea);
    const EsysBuffer<TPM2B_PUBLIC> publicOwner(publicArea);
    TpmKey key{{parent.handle, parent.name, marshalled(*publicArea, Tss2_MU_TPM2B_PUBLIC_Marshal),
                marshalled(*privateArea, Tss2_MU_TPM2B_PRIVATE_Marshal)},
               {}};
    if (area.publicArea.type != TPM2_ALG_KEYEDHASH) key.publicKey = publicKeyDer(*publicArea);
    return key;
}

// Where a parent turns out to have a password, the next candidate is taken: one wrong try each, never more.
template <class Create>
TpmKey createUnderSomeParent(TpmSession& session, Create create) {
    for (;;) {
        const StorageParent& parent = session.parent();
        try {
            return create(parent);
        } catch (const TpmError& error) {
            if (!error.wrongAuthorization()) throw;
            session.avoidParent();
        }
    }
}

// All slots are others' once we have given back ours.
template <class Create>
TpmKey createWithRoom(TpmSession& session, Create create) {
    try {
        return createUnderSomeParent(session, create);
    } catch (const TpmError& error) {
        if (!error.outOfSlots()) throw;
    }
    session.unloadAll();
    return createUnderSomeParent(session, create);
}

Bytes ecdsa(TpmSession& session, const TpmObject& object, std::span<const std::uint8_t> digest) {
    TPM2B_DIGEST value{};
    value.size = static_cast<UINT16>(digest.size());
    std::copy(digest.begin(), digest.end(), value.buffer);
    TPMT_SIG_SCHEME scheme{};
    scheme.scheme = TPM2_ALG_ECDSA;
    scheme.details.ecdsa.hashAlg =
        digest.size() == TPM2_SHA256_DIGEST_SIZE ? TPM2_ALG_SHA256 : TPM2_ALG_SHA384;
    TPMT_TK_HASHCHECK ticket{};  // none: the key is unrestricted
    ticket.tag = TPM2_ST_HASHCHECK;
    ticket.hierarchy = TPM2_RH_NULL;
    TPMT_SIGNATURE* signature = nullptr;
    checkTpm(Esys_Sign(session.esys(), session.load(object), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                       &value, &scheme, &ticket, &signature),
             "TPM2_Sign");
    const EsysBuffer<TPMT_SIGNATURE> owner(signature);
    return ecdsaDer(signature->signature.ecdsa);
}

std::size_t orderLength(const TpmObject& key) {
    TPM2B_PUBLIC area{};
    std::size_t offset = 0;
    checkTpm(Tss2_MU_TPM2B_PUBLIC_Unmarshal(key.publicArea.data(), key.publicArea.size(), &offset, &area),
             "the public area in the key file");
    return area.publicArea.parameters.eccDetail.curveID == TPM2_ECC_NIST_P256 ? 32 : 48;
}

}  // namespace

SecretBytes encode(const TpmObject& object) {
    const auto text = [](const Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); };
    const std::string encoded = wire::encode({1,
                                              {std::to_string(object.parentHandle), text(object.parentName),
                                               text(object.publicArea), text(object.privateArea)}});
    return SecretBytes(encoded.begin() + 4, encoded.end());
}

TpmObject tpmObjectFrom(std::span<const std::uint8_t> encoded) {
    const auto bytes = [](const std::string& text) { return Bytes(text.begin(), text.end()); };
    const wire::Message message =
        wire::decode({reinterpret_cast<const char*>(encoded.data()), encoded.size()});
    if (message.tag != 1 || message.fields.size() != 4)
        throw Error(ErrorKind::internal, "key-damaged", "the TPM's part of the key file is damaged");
    return {static_cast<std::uint32_t>(std::strtoul(message.fields[0].c_str(), nullptr, 10)),
            bytes(message.fields[1]), bytes(message.fields[2]), bytes(message.fields[3])};
}

Tpm::Tpm(std::string tcti) : tcti_(std::move(tcti)) {}
Tpm::~Tpm() = default;

template <class Work>
auto Tpm::perform(Work work) {
    const std::lock_guard lock(mutex_);
    if (tcti_ == "none")
        throw Error(ErrorKind::misconfigured, "no-tpm",
                    "this box has no TPM, or keyd was told to use none (--tcti none): ask for a file key");
    for (bool again = true;; again = false) {
        try {
            if (!session_) session_ = std::make_unique<TpmSession>(tcti_);
            everReached_ = true;
            return work(*session_);
        } catch (const TpmError& error) {
            const bool connected = static_cast<bool>(session_);
            if (!connected && !everReached_)
                throw Error(ErrorKind::misconfigured, "no-tpm",
                            "no TPM answers at " + tcti_ + ": " + std::string(error.what()));
            if (!error.lost()) throw;
            session_.reset();
            if (!again || !connected) throw;
        }
    }
}

TpmKey Tpm::makeKey(KeyAlgorithm algorithm) {
    const TPM2B_PUBLIC area = signingKeyTemplate(algorithm);
    return perform([&](TpmSession& session) {
        return createWithRoom(session, [&](const StorageParent& parent) {
            return createUnder(session, parent, area, TPM2B_SENSITIVE_CREATE{}, ESYS_TR_NONE);
        });
    });
}

Bytes Tpm::signEcdsa(const TpmObject& key, std::span<const std::uint8_t> digest) {
    const std::size_t order = orderLength(key);
    // SHA-512 is not in every TPM; cut to 48 octets, a P-384 signature over it is the same as over a SHA-384
    // digest.
    const auto cut = digest.first(std::min(digest.size(), order));
    return perform([&](TpmSession& session) { return ecdsa(session, key, cut); });
}

Bytes Tpm::rsaPrivate(const TpmObject& key, std::span<const std::uint8_t> block) {
    TPM2B_PUBLIC_KEY_RSA input{};
    input.size = static_cast<UINT16>(block.size());
    std::copy(block.begin(), block.end(), input.buffer);
    TPMT_RSA_DECRYPT scheme{};
    scheme.scheme = TPM2_ALG_NULL;
    return perform([&](TpmSession& session) {
        TPM2B_PUBLIC_KEY_RSA* result = nullptr;
        checkTpm(Esys_RSA_Decrypt(session.esys(), session.load(key), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                  ESYS_TR_NONE, &input, &scheme, &noOutsideInfo, &result),
                 "TPM2_RSA_Decrypt");
        const EsysBuffer<TPM2B_PUBLIC_KEY_RSA> owner(result);
        Bytes output(block.size() - result->size);  // leading zeros may be left out
        output.insert(output.end(), result->buffer, result->buffer + result->size);
        return output;
    });
}

TpmObject Tpm::seal(const SecretBytes& secret) {
    const TPM2B_PUBLIC area = sealedDataTemplate();
    TPM2B_SENSITIVE_CREATE sensitive{};
    sensitive.sensitive.data.size = static_cast<UINT16>(secret.size());
    std::copy(secret.begin(), secret.end(), sensitive.sensitive.data.buffer);
    const auto wiped = std::unique_ptr<TPM2B_SENSITIVE_CREATE, void (*)(TPM2B_SENSITIVE_CREATE*)>(
        &sensitive, [](TPM2B_SENSITIVE_CREATE* value) { OPENSSL_cleanse(value, sizeof *value); });
    return perform([&](TpmSession& session) {
               return createWithRoom(session, [&](const StorageParent& parent) {
                   const EncryptedSession encryption(session.esys(), parent.object, TPMA_SESSION_DECRYPT);
                   return createUnder(session, parent, area, sensitive, encryption.get());
               });
           })
        .object;
}

SecretBytes Tpm::unseal(const TpmObject& object) {
    return perform([&](TpmSession& session) {
        const ESYS_TR loaded = session.load(object);
        const EncryptedSession encryption(session.esys(), session.parent().object, TPMA_SESSION_ENCRYPT);
        TPM2B_SENSITIVE_DATA* data = nullptr;
        checkTpm(Esys_Unseal(session.esys(), loaded, ESYS_TR_PASSWORD, encryption.get(), ESYS_TR_NONE, &data),
                 "TPM2_Unseal");
        const EsysBuffer<TPM2B_SENSITIVE_DATA> owner(data);
        const SecretBytes secret(data->buffer, data->buffer + data->size);
        OPENSSL_cleanse(data, sizeof *data);
        return secret;
    });
}

void Tpm::check() {
    perform([](TpmSession& session) {
        if (session.parent().subjectToLockout && session.lockedOut())
            throw TpmError(TPM2_RC_LOCKOUT, "health");
        if (session.full()) throw TpmError(TPM2_RC_OBJECT_MEMORY, "health");
    });
}

}  // namespace hal::keyd
