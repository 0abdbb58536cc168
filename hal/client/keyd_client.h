// hal::KeyStore over keyd's socket.
#pragma once

#include <mutex>

#include "hal/client/connection.h"
#include "hal/key_store.h"

namespace hal {

// Must outlive the keys that open() made: they live in its OpenSSL library context.
class KeydClient final : public KeyStore {
  public:
    // `providerModule`: the path of certmgr.so; empty: OpenSSL finds it by its name. It is loaded with the
    // first open().
    explicit KeydClient(std::string socketPath, std::string providerModule = "");

    KeyInfo make(const KeyRequest& request) override;
    KeyInfo import(const KeyRequest& request, std::string_view pem) override;
    std::optional<KeyInfo> find(const KeyId& id) override;
    std::vector<KeyInfo> list() override;
    Bytes sign(const KeyId& id, SignatureScheme scheme, Hash hash,
               std::span<const std::uint8_t> digest) override;
    void setAccess(const KeyId& id, const AccessList& access) override;
    bool destroy(const KeyId& id) override;
    std::string release(const KeyId& id) override;
    Bytes exportWrapped(const KeyId& id, std::span<const std::uint8_t> wrappingKey) override;
    KeyInfo importWrapped(const KeyId& id, std::span<const std::uint8_t> wrappingKey,
                          std::span<const std::uint8_t> wrapped) override;
    Pkey open(const KeyId& id) override;
    std::string reference(const KeyId& id) override;
    std::vector<BackendHealth> health() override;

  private:
    static void unload(OSSL_PROVIDER* provider) { OSSL_PROVIDER_unload(provider); }
    using Provider = Handle<OSSL_PROVIDER, unload>;

    OSSL_LIB_CTX* library();
    KeyInfo require(const KeyId& id);
    static Provider load(OSSL_LIB_CTX& library, const char* name);

    Connection connection_;
    const std::string providerModule_;
    std::mutex loading_;  // guards what follows
    LibContext library_;
    Provider default_;
    Provider certmgr_;
};

}  // namespace hal
