#include "certmgr/crypto/pkcs12.h"

#include <openssl/pkcs12.h>

#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {
namespace {

using Pkcs12Ptr = hal::Handle<PKCS12, PKCS12_free>;

inline void freeSafes(STACK_OF(PKCS7) * safes) {
    sk_PKCS7_pop_free(safes, PKCS7_free);
}
using Safes = hal::Handle<STACK_OF(PKCS7), freeSafes>;

inline void freeBags(STACK_OF(PKCS12_SAFEBAG) * bags) {
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}
using Bags = hal::Handle<STACK_OF(PKCS12_SAFEBAG), freeBags>;

constexpr int maximumBags = 100;
constexpr int maximumSafes = 20;

Error bad(const std::string& found) {
    return Error(ErrorKind::rejected, "bad-pkcs12",
                 "the PKCS#12 file " + found +
                     ": expected one with a key and its chain, as openssl pkcs12 "
                     "-export writes it");
}

class Reader {
  public:
    Reader(std::string_view der, Decryption& decryption, UploadParts& parts)
        : decryption_(decryption),
          parts_(parts),
          file_(check(PKCS12_init_ex(NID_pkcs7_data, decryption.context(), nullptr), "PKCS12_init_ex")),
          passphrase_(decryption.passphrase()) {
        PKCS12* file = file_.release();
        const auto* position = reinterpret_cast<const unsigned char*>(der.data());
        file_.reset(d2i_PKCS12(&file, &position, static_cast<long>(der.size())));
        if (!file_) throw bad("does not parse (" + takeReason() + ")");
    }

    void read() {
        if (PKCS12_mac_present(file_.get()))
            checkIntegrity();
        else if (!passphrase_)
            passphrase_ = "";
        const Safes safes(PKCS12_unpack_authsafes(file_.get()));
        if (!safes) throw bad("holds no safes that can be read (" + takeReason() + ")");
        if (sk_PKCS7_num(safes.get()) > maximumSafes)
            throw bad("has more than " + std::to_string(maximumSafes) + " safes");
        for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) takeSafe(*sk_PKCS7_value(safes.get(), i));
    }

  private:
    // Without a passphrase the empty one is meant, which some write as two zero octets and some as none (the
    // note in PKCS12_parse(3)).
    void checkIntegrity() {
        if (passphrase_ && verifies()) return;
        if (!passphrase_ || passphrase_->empty())
            for (const std::string_view nothing : {std::string_view(""), std::string_view()}) {
                passphrase_ = nothing;
                if (verifies()) return;
            }
        throw decryption_.passphraseError("the PKCS#12 file");
    }

    bool verifies() {
        const X509_ALGOR* digest = nullptr;
        const ASN1_INTEGER* iterations = nullptr;
        PKCS12_get0_mac(nullptr, &digest, nullptr, &iterations, file_.get());
        decryption_.budget().spend(iterations);
        ERR_clear_error();
        if (PKCS12_verify_mac(file_.get(), passphrase_->data(), size()) == 1) return true;
        if (ERR_peek_last_error() != 0)
            throw bad("has an integrity check that cannot be computed (" + takeReason() + ")");
        return false;
    }

    void takeSafe(PKCS7& safe) {
        if (PKCS7_type_is_data(&safe)) {
            const Bags bags(PKCS12_unpack_p7data(&safe));
            if (!bags) throw bad("has a safe that does not parse (" + takeReason() + ")");
            return takeBags(*bags);
        }
        if (!PKCS7_type_is_encrypted(&safe) || !safe.d.encrypted)
            throw bad("has a safe that no passphrase opens");
        const X509_ALGOR& encryption = *safe.d.encrypted->enc_data->algorithm;
        decryption_.budget().spend(encryption);
        const Bags bags(PKCS12_unpack_p7encdata(&safe, passphrase_->data(), size()));
        if (!bags) throw decryption_.failure(encryption);
        takeBags(*bags);
    }

    void takeBags(const STACK_OF(PKCS12_SAFEBAG) & bags) {
        bags_ += sk_PKCS12_SAFEBAG_num(&bags);
        if (bags_ > maximumBags) throw bad("has more than " + std::to_string(maximumBags) + " entries");
        for (int i = 0; i < sk_PKCS12_SAFEBAG_num(&bags); ++i) takeBag(*sk_PKCS12_SAFEBAG_value(&bags, i));
    }

    // RFC 7292 4.2.6: a bag of bags. No program is known to write them.
    void takeBag(const PKCS12_SAFEBAG& bag) {
        switch (PKCS12_SAFEBAG_get_nid(&bag)) {
            case NID_certBag:
                return takeCertificate(bag);
            case NID_keyBag:
                return addKey(parts_, *PKCS12_SAFEBAG_get0_p8inf(&bag));
            case NID_pkcs8ShroudedKeyBag:
                return takeEncryptedKey(*PKCS12_SAFEBAG_get0_pkcs8(&bag));
            case NID_safeContentsBag:
                throw bad("has safes inside of safes");
            default:
                return;  // CRLs and secrets are nobody's business here
        }
    }

    void takeCertificate(const PKCS12_SAFEBAG& bag) {
        if (PKCS12_SAFEBAG_get_bag_nid(&bag) != NID_x509Certificate) return;
        X509Ptr certificate(PKCS12_SAFEBAG_get1_cert(&bag));
        if (!certificate) throw bad("has a certificate that does not parse (" + takeReason() + ")");
        addCertificate(parts_, std::move(certificate));
    }

    void takeEncryptedKey(const X509_SIG& encrypted) {
        const X509_ALGOR* encryption = nullptr;
        X509_SIG_get0(&encrypted, &encryption, nullptr);
        decryption_.budget().spend(*encryption);
        const Pkcs8Ptr key(
            PKCS8_decrypt_ex(&encrypted, passphrase_->data(), size(), decryption_.context(), nullptr));
        if (!key) throw decryption_.failure(*encryption);
        addKey(parts_, *key);
    }

    int size() const { return static_cast<int>(passphrase_->size()); }

    Decryption& decryption_;
    UploadParts& parts_;
    Pkcs12Ptr file_;
    std::optional<std::string_view> passphrase_;  // the one that the file was made with, when it is known
    int bags_ = 0;
};

}  // namespace

bool looksLikePkcs12(std::string_view der) {
    const auto* position = reinterpret_cast<const unsigned char*>(der.data());
    const Pkcs12Ptr file(d2i_PKCS12(nullptr, &position, static_cast<long>(der.size())));
    ERR_clear_error();
    return file != nullptr;
}

void readPkcs12(std::string_view der, Decryption& decryption, UploadParts& parts) {
    Reader(der, decryption, parts).read();
}

}  // namespace certmgr::crypto
