// A service's OpenSSL in this process: its own library context with the providers in a given order.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hal/handle.h"

namespace provider_test {

using Octets = std::vector<unsigned char>;

class OpensslService {
  public:
    using Providers = std::vector<std::string>;
    explicit OpensslService(const Providers& providers = {"default", "certmgr"});

    OSSL_LIB_CTX* library() const { return library_.get(); }
    hal::Pkey load(const std::string& pem) const;          // PEM_read_bio_PrivateKey; null where it fails
    hal::Pkey makeFileKey(const std::string& type) const;  // "EC" (P-256) or "RSA" (2048)

  private:
    hal::LibContext library_;
    std::vector<hal::Handle<OSSL_PROVIDER, OSSL_PROVIDER_unload>> providers_;
};

// The name of the provider that keeps the key: "certmgr" or "default".
std::string keeper(const hal::Pkey& key);

// Every entry of the thread's error queue in one text; the queue is empty afterwards.
std::string takeErrors();

struct SignatureOptions {
    std::string digest = "SHA256";
    bool pss = false;
};
// Through EVP_DigestSign and EVP_DigestVerify; an empty signature where signing fails.
Octets sign(const OpensslService& service, const hal::Pkey& key, const std::string& message,
            const SignatureOptions& options = {});
bool verify(const OpensslService& service, const hal::Pkey& key, const std::string& message,
            const Octets& signature, const SignatureOptions& options = {});

// The public half alone, kept by the default provider of a context that knows of no other.
hal::Pkey publicHalf(const hal::Pkey& key);

// A self-signed certificate for `name`, valid now, as PEM.
std::string selfSigned(const OpensslService& service, const hal::Pkey& key, const std::string& name);
std::string writePrivateKey(const hal::Pkey& key);

std::string writePublicKey(const hal::Pkey& key);  // PEM SubjectPublicKeyInfo

}  // namespace provider_test
