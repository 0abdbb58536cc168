// unique_ptr aliases over C handles: one Deleter template, no hand-written moves.
#pragma once

#include <memory>
#include <utility>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

namespace hal {

template <auto function>
struct Deleter {
    template <class T>
    void operator()(T* handle) const noexcept {
        function(handle);
    }
};

template <class T, auto function>
using Handle = std::unique_ptr<T, Deleter<function>>;

using Bio = Handle<BIO, BIO_free_all>;
using BigNumber = Handle<BIGNUM, BN_free>;
using Pkey = Handle<EVP_PKEY, EVP_PKEY_free>;
using PkeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using MdContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using X509Ptr = Handle<X509, X509_free>;
using X509NamePtr = Handle<X509_NAME, X509_NAME_free>;
using X509ReqPtr = Handle<X509_REQ, X509_REQ_free>;
using X509StorePtr = Handle<X509_STORE, X509_STORE_free>;
using X509StoreContext = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
using ExtensionPtr = Handle<X509_EXTENSION, X509_EXTENSION_free>;
using SslContext = Handle<SSL_CTX, SSL_CTX_free>;
using SslPtr = Handle<SSL, SSL_free>;
using LibContext = Handle<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;

// Owns a file descriptor. Moved from: -1.
class UniqueFd {
  public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() {
        if (fd_ >= 0) ::close(fd_);
    }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    int release() noexcept { return std::exchange(fd_, -1); }

  private:
    int fd_ = -1;
};

}  // namespace hal
