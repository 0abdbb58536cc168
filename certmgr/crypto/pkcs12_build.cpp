#include "certmgr/crypto/pkcs12_build.h"

#include <string>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {
namespace {

using Pkcs12Ptr = hal::Handle<PKCS12, PKCS12_free>;

// PKCS12_create takes it up to its NUL.
SecretText terminated(std::string_view passphrase) {
    SecretText text(passphrase.size() + 1);
    text.append(passphrase);
    text.append(std::string_view("\0", 1));
    return text;
}

}  // namespace

SecretText buildPkcs12(std::string_view keyPem, const std::vector<X509Ptr>& chain, std::string_view name,
                       std::string_view passphrase) {
    const hal::Bio source(
        check(BIO_new_mem_buf(keyPem.data(), static_cast<int>(keyPem.size())), "BIO_new_mem_buf"));
    const hal::Pkey key(
        check(PEM_read_bio_PrivateKey(source.get(), nullptr, nullptr, nullptr), "PEM_read_bio_PrivateKey"));
    const BorrowedCertificates others(check(sk_X509_new_null(), "sk_X509_new_null"));
    for (std::size_t i = 1; i < chain.size(); ++i)
        check(sk_X509_push(others.get(), chain[i].get()), "sk_X509_push");
    const Pkcs12Ptr store(
        check(PKCS12_create(terminated(passphrase).view().data(), std::string(name).c_str(), key.get(),
                            chain.front().get(), others.get(), NID_aes_256_cbc, NID_aes_256_cbc, 0, 0, 0),
              "PKCS12_create"));
    const int size = i2d_PKCS12(store.get(), nullptr);
    check(size, "i2d_PKCS12");
    Bytes der(static_cast<std::size_t>(size));
    unsigned char* end = der.data();
    check(i2d_PKCS12(store.get(), &end), "i2d_PKCS12");
    SecretText result(der.size());
    result.append({reinterpret_cast<const char*>(der.data()), der.size()});
    return result;
}

}  // namespace certmgr::crypto
