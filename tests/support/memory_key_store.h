// A KeyStore without a daemon: real OpenSSL keys in this process. Backends can be made to fail as a TPM does.
#pragma once

#include <map>
#include <mutex>

#include "hal/key_store.h"

namespace testing_support {

class MemoryKeyStore final : public hal::KeyStore {
  public:
    // Without a TPM, as by default, policy tpm and sealed fail with "no-tpm" and prefer-tpm falls back; with
    // one they are met, by keys that only say that they are in a TPM.
    void setTpm(bool present);
    // As if its file were no longer whole.
    void damage(const hal::KeyId& id);

    hal::KeyInfo make(const hal::KeyRequest& request) override;
    hal::KeyInfo import(const hal::KeyRequest& request, std::string_view pem) override;
    std::optional<hal::KeyInfo> find(const hal::KeyId& id) override;
    std::vector<hal::KeyInfo> list() override;
    hal::Bytes sign(const hal::KeyId& id, hal::SignatureScheme scheme, hal::Hash hash,
                    std::span<const std::uint8_t> digest) override;
    void setAccess(const hal::KeyId& id, const hal::AccessList& access) override;
    bool destroy(const hal::KeyId& id) override;
    std::string release(const hal::KeyId& id) override;
    hal::Bytes exportWrapped(const hal::KeyId& id, std::span<const std::uint8_t> wrappingKey) override;
    hal::KeyInfo importWrapped(const hal::KeyId& id, std::span<const std::uint8_t> wrappingKey,
                               std::span<const std::uint8_t> wrapped) override;
    hal::Pkey open(const hal::KeyId& id) override;
    std::string reference(const hal::KeyId& id) override;
    std::vector<hal::BackendHealth> health() override;

  private:
    struct Entry {
        hal::KeyInfo info;
        hal::Pkey key;
        bool damaged = false;
    };
    Entry* lookUp(const hal::KeyId& id);  // null: there is none
    Entry& require(const hal::KeyId& id);
    hal::KeyInfo add(const hal::KeyRequest& request, hal::Pkey key, bool imported);

    std::mutex mutex_;  // guards what follows
    bool tpm_ = false;
    std::map<hal::KeyId, Entry> keys_;
};

}  // namespace testing_support
