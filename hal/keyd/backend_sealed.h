// Keys as PKCS#8 in their key file, encrypted (AES-256-GCM) under one key that is sealed in the TPM.
#pragma once

#include <mutex>

#include "hal/keyd/backend.h"
#include "hal/keyd/key_directory.h"
#include "hal/keyd/tpm.h"

namespace hal::keyd {

// The sealing key is unsealed for each key that is made, loaded or released, and wiped thereafter: nothing
// but keys in use lies in memory.
class SealedBackend final : public Backend {
  public:
    SealedBackend(Tpm& tpm, KeyDirectory& directory) : tpm_(tpm), directory_(directory) {}
    KeyMaterial make(const KeyId& id, KeyAlgorithm algorithm) override;
    KeyMaterial import(const KeyId& id, Pkey key) override;
    std::unique_ptr<SigningKey> load(const KeyId& id, const KeyMaterial& material) override;
    SecretBytes release(const KeyId& id, const KeyMaterial& material) override;
    void check() override;

  private:
    SecretBytes sealingKey();

    Tpm& tpm_;
    KeyDirectory& directory_;
    std::mutex making_;  // the sealing key is made once
};

}  // namespace hal::keyd
