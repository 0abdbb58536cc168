#include "certmgr/crypto/private_pem.h"

#include <openssl/pem.h>

#include "certmgr/crypto/decryption.h"
#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {

PrivatePem::PrivatePem(const EVP_PKEY& key) : text_(check(BIO_new(BIO_s_secmem()), "BIO_new")) {
    const Pkcs8Ptr pkcs8(check(EVP_PKEY2PKCS8(&key), "EVP_PKEY2PKCS8"));
    check(PEM_write_bio_PKCS8_PRIV_KEY_INFO(text_.get(), pkcs8.get()), "PEM_write_bio_PKCS8_PRIV_KEY_INFO");
}

std::string_view PrivatePem::view() const {
    return writtenTo(*text_);
}

}  // namespace certmgr::crypto
