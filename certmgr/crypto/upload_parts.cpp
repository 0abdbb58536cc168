#include "certmgr/crypto/upload_parts.h"

#include <algorithm>

#include <openssl/pem.h>

#include "certmgr/crypto/decryption.h"
#include "certmgr/crypto/openssl.h"
#include "certmgr/crypto/pem.h"
#include "certmgr/crypto/pkcs12.h"

namespace certmgr::crypto {
namespace {

using EncryptedKey = hal::Handle<X509_SIG, X509_SIG_free>;

// One block with its base64 undone, in secure memory: it may be a key.
struct DecodedBlock {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    DecodedBlock() = default;
    DecodedBlock(const DecodedBlock&) = delete;
    DecodedBlock& operator=(const DecodedBlock&) = delete;
    ~DecodedBlock() {
        OPENSSL_secure_free(name);
        OPENSSL_secure_free(header);
        OPENSSL_secure_clear_free(data, static_cast<std::size_t>(size));
    }
    std::string_view der() const { return {reinterpret_cast<char*>(data), static_cast<std::size_t>(size)}; }
};

// d2i of the whole text; nothing where it is something else, or something follows it.
template <class Pointer, class Decode>
Pointer decode(std::string_view der, Decode d2i) {
    const auto* position = reinterpret_cast<const unsigned char*>(der.data());
    Pointer value(d2i(nullptr, &position, static_cast<long>(der.size())));
    if (position != reinterpret_cast<const unsigned char*>(der.data() + der.size())) value.reset();
    return value;
}

int givePassphrase(char* buffer, int size, int, void* data) {
    const auto& passphrase = *static_cast<const std::string_view*>(data);
    if (passphrase.size() > static_cast<std::size_t>(size)) return -1;
    std::copy(passphrase.begin(), passphrase.end(), buffer);
    return static_cast<int>(passphrase.size());
}

class PartsReader {
  public:
    explicit PartsReader(const UploadFiles& files) : files_(files) {}

    UploadParts read() {
        requireSizes();
        for (const std::string_view content : files_.contents) readFile(content);
        if (parts_.certificates.empty())
            reject("no-certificate", "there is no certificate in the upload, only " + keyCount() +
                                         ": expected the server's certificate and its chain beside the key");
        return std::move(parts_);
    }

  private:
    void requireSizes() const {
        if (files_.contents.empty()) reject("empty", "there is no file in the upload: give at least one");
        if (files_.contents.size() > maximumUploadFiles)
            reject("too-large", "there are " + std::to_string(files_.contents.size()) +
                                    " files in the upload, at most " + std::to_string(maximumUploadFiles) +
                                    " are taken: give the certificate, its chain and its key");
        std::size_t size = 0;
        for (const std::string_view content : files_.contents) size += content.size();
        if (size > maximumUpload)
            reject("too-large", "the upload has " + std::to_string(size) + " bytes, at most " +
                                    std::to_string(maximumUpload) +
                                    " are taken: leave out what does not belong to the chain");
        if (files_.passphrase && files_.passphrase->size() > maximumPassphrase)
            reject("too-large", "the passphrase has more than " + std::to_string(maximumPassphrase) +
                                    " bytes: give the passphrase alone");
    }

    std::string keyCount() const {
        const std::size_t keys = parts_.keys.size() + parts_.unreadableKeys.size();
        return keys == 1 ? "a private key" : std::to_string(keys) + " private keys";
    }

    Decryption& decryption() {
        if (!decryption_) decryption_.emplace(files_.passphrase);
        return *decryption_;
    }

    void readFile(std::string_view content) {
        const std::vector<PemBlock> blocks = pemBlocks(content);
        if (!blocks.empty()) return readPem(blocks);
        if (content.find_first_not_of(" \t\r\n") == std::string_view::npos)
            reject("empty", "a file of the upload is empty: expected a certificate, a key or both");
        if (content.front() != '\x30' || !readDer(content))
            reject("bad-format",
                   "a file of the upload is neither PEM nor DER nor PKCS#12: expected a text with "
                   "\"-----BEGIN CERTIFICATE-----\", or one of the binary forms");
    }

    void readPem(const std::vector<PemBlock>& blocks) {
        bool known = false;
        for (const PemBlock& block : blocks) {
            known = known || block.certificate() || block.privateKey();
            if (block.certificate()) takeCertificate(block);
            if (block.privateKey()) tryKey([&] { takePemKey(block); });
        }
        if (!known)
            reject("bad-format", "there is no certificate and no private key in the PEM text, only \"" +
                                     std::string(blocks.front().label.substr(0, 40)) +
                                     "\": expected a block \"CERTIFICATE\" or \"PRIVATE KEY\"");
    }

    void takeCertificate(const PemBlock& block) {
        DecodedBlock decoded;
        decodeBlock(block, decoded);
        X509Ptr certificate = decode<X509Ptr>(decoded.der(), d2i_X509);
        if (!certificate)
            reject("bad-certificate", "certificate " + std::to_string(parts_.certificates.size() + 1) +
                                          " does not parse (" + takeReason() +
                                          "): expected the base64 text of one DER certificate");
        addCertificate(parts_, std::move(certificate));
    }

    void decodeBlock(const PemBlock& block, DecodedBlock& decoded) {
        const hal::Bio bio(check(BIO_new_mem_buf(block.text.data(), static_cast<int>(block.text.size())),
                                 "BIO_new_mem_buf"));
        if (PEM_read_bio_ex(bio.get(), &decoded.name, &decoded.header, &decoded.data, &decoded.size,
                            PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) != 1)
            reject("bad-pem", "the PEM block \"" + std::string(block.label.substr(0, 40)) +
                                  "\" is damaged (" + takeReason() + "): give the whole file");
    }

    // A key that cannot be read is no reason to refuse the upload as long as another one fits.
    template <class Take>
    void tryKey(Take take) {
        try {
            take();
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::rejected || error.code() == "too-large") throw;
            addUnreadableKey(parts_, error);
        }
    }

    void takePemKey(const PemBlock& block) {
        DecodedBlock decoded;
        decodeBlock(block, decoded);
        if (std::string_view(decoded.header).find("ENCRYPTED") != std::string_view::npos) decrypt(decoded);
        if (!readKey(decoded.der()))
            reject("bad-key", "a private key does not parse (" + takeReason() +
                                  "): expected PKCS#8, or a traditional RSA or EC key");
    }

    // RFC 1421 4.6.1.3, as OpenSSL has written traditional keys for ever: one round of MD5, so no budget.
    void decrypt(DecodedBlock& decoded) {
        if (!files_.passphrase) throw decryption().passphraseError("a private key");
        EVP_CIPHER_INFO cipher{};
        if (PEM_get_EVP_CIPHER_INFO(decoded.header, &cipher) != 1)
            reject("encryption-not-supported",
                   "a private key is encrypted in a way that OpenSSL does not know "
                   "here (" +
                       takeReason() + "): write it anew (openssl pkcs8 -topk8)");
        std::string_view passphrase = *files_.passphrase;
        if (PEM_do_header(&cipher, decoded.data, &decoded.size, givePassphrase, &passphrase) != 1) {
            ERR_clear_error();
            throw decryption().passphraseError("a private key");
        }
    }

    bool readDer(std::string_view der) {
        if (X509Ptr certificate = decode<X509Ptr>(der, d2i_X509)) {
            addCertificate(parts_, std::move(certificate));
            return true;
        }
        if (looksLikePkcs12(der)) {
            readPkcs12(der, decryption(), parts_);
            return true;
        }
        bool known = true;
        tryKey([&] { known = readKey(der); });
        ERR_clear_error();
        return known;
    }

    // PKCS#8, encrypted PKCS#8, or a traditional key.
    bool readKey(std::string_view der) {
        if (const auto plain = decode<Pkcs8Ptr>(der, d2i_PKCS8_PRIV_KEY_INFO)) {
            addKey(parts_, *plain);
            return true;
        }
        if (const auto encrypted = decode<EncryptedKey>(der, d2i_X509_SIG)) {
            addKey(parts_, *decryption().open(*encrypted));
            return true;
        }
        for (const int type : {EVP_PKEY_RSA, EVP_PKEY_EC}) {
            const auto* position = reinterpret_cast<const unsigned char*>(der.data());
            hal::Pkey key(d2i_PrivateKey(type, nullptr, &position, static_cast<long>(der.size())));
            if (!key) continue;
            const Pkcs8Ptr plain(check(EVP_PKEY2PKCS8(key.get()), "EVP_PKEY2PKCS8"));
            addKey(parts_, *plain);
            return true;
        }
        return false;
    }

    const UploadFiles& files_;
    UploadParts parts_;
    std::optional<Decryption> decryption_;  // made when something encrypted is met
};

void requireRoomForKey(const UploadParts& parts) {
    if (parts.keys.size() + parts.unreadableKeys.size() >= maximumPrivateKeys)
        reject("too-large", "there are more than " + std::to_string(maximumPrivateKeys) +
                                " private keys in the upload: give the one of the server's certificate");
}

}  // namespace

UploadParts readUpload(const UploadFiles& files) {
    ERR_clear_error();
    return PartsReader(files).read();
}

void addCertificate(UploadParts& parts, X509Ptr certificate) {
    if (parts.certificates.size() >= maximumCertificates)
        reject("too-large", "there are more than " + std::to_string(maximumCertificates) +
                                " certificates in the upload: give the leaf and its chain alone");
    if (!X509_get0_pubkey(certificate.get()))
        reject("bad-certificate", subjectOf(*certificate) + " has a key that does not parse (" +
                                      takeReason() + "): expected RSA, EC or Ed25519");
    parts.certificates.push_back(std::move(certificate));
}

void addKey(UploadParts& parts, const PKCS8_PRIV_KEY_INFO& key) {
    requireRoomForKey(parts);
    hal::Pkey decoded(EVP_PKCS82PKEY(&key));
    if (decoded) {
        parts.keys.push_back(std::move(decoded));
        return;
    }
    addUnreadableKey(parts, Error(ErrorKind::rejected, "bad-key",
                                  "a private key does not parse (" + takeReason() +
                                      "): expected PKCS#8 with an RSA, EC or Ed25519 key"));
}

void addUnreadableKey(UploadParts& parts, const Error& error) {
    requireRoomForKey(parts);
    parts.unreadableKeys.push_back({error.code(), error.what()});
}

}  // namespace certmgr::crypto
