// What one loading of the provider owns.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/core.h>

#include "hal/client/connection.h"
#include "hal/handle.h"
#include "hal/key_store.h"

namespace hal::provider {

// Threads: any.
class Instance {
  public:
    Instance(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* functions);

    // Has the default provider and nothing else. It is ours and not the service's: what that has loaded, in
    // which order and with which default properties, is no concern here.
    OSSL_LIB_CTX* library() const noexcept { return library_.get(); }

    const EVP_MD* digest(Hash hash) const noexcept { return digests_[static_cast<std::size_t>(hash)].get(); }
    // Empty: keyd does not sign that digest.
    std::optional<Hash> hashNamed(std::string_view digestName) const;

    // All keys behind one socket share its connections.
    std::shared_ptr<Connection> connectionTo(const std::string& socketPath);

  private:
    using Digest = Handle<EVP_MD, EVP_MD_free>;

    LibContext library_;
    Handle<OSSL_PROVIDER, OSSL_PROVIDER_unload> default_;
    std::array<Digest, 3> digests_;  // by Hash
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Connection>> connections_;
};

// The BIO that OpenSSL lent us for one call. Throws for want of memory.
Bio borrow(const Instance& instance, OSSL_CORE_BIO* bio);

}  // namespace hal::provider
