#include "hal/provider/instance.h"

#include <openssl/evp.h>

#include "hal/error.h"

namespace hal::provider {
namespace {

constexpr std::array<const char*, 3> digestNames{"SHA2-256", "SHA2-384", "SHA2-512"};

}  // namespace

Instance::Instance(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* functions)
    : library_(OSSL_LIB_CTX_new_from_dispatch(core, functions)),
      default_(library_ ? OSSL_PROVIDER_load(library_.get(), "default") : nullptr) {
    if (!default_)
        throw Error(ErrorKind::internal, "no-default-provider",
                    "OpenSSL's default provider cannot be loaded");
    for (std::size_t i = 0; i < digests_.size(); ++i) {
        digests_[i].reset(EVP_MD_fetch(library_.get(), digestNames[i], nullptr));
        if (!digests_[i])
            throw Error(ErrorKind::internal, "no-digest",
                        std::string("OpenSSL has no digest ") + digestNames[i]);
    }
}

std::optional<Hash> Instance::hashNamed(std::string_view digestName) const {
    for (const Hash hash : {Hash::sha256, Hash::sha384, Hash::sha512})
        if (EVP_MD_is_a(digest(hash), std::string(digestName).c_str())) return hash;
    return std::nullopt;
}

std::shared_ptr<Connection> Instance::connectionTo(const std::string& socketPath) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Connection>& connection = connections_[socketPath];
    if (!connection) connection = std::make_shared<Connection>(socketPath);
    return connection;
}

Bio borrow(const Instance& instance, OSSL_CORE_BIO* bio) {
    Bio borrowed(BIO_new_from_core_bio(instance.library(), bio));
    if (!borrowed) throw std::bad_alloc();
    return borrowed;
}

}  // namespace hal::provider
