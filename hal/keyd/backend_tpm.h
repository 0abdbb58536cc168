// Keys made in the TPM, which never leave it; the key file holds what the TPM wrapped.
#pragma once

#include "hal/keyd/backend.h"
#include "hal/keyd/tpm.h"

namespace hal::keyd {

class TpmBackend final : public Backend {
  public:
    explicit TpmBackend(Tpm& tpm) : tpm_(tpm) {}
    KeyMaterial make(const KeyId& id, KeyAlgorithm algorithm) override;
    KeyMaterial import(const KeyId& id, Pkey key) override;
    std::unique_ptr<SigningKey> load(const KeyId& id, const KeyMaterial& material) override;
    SecretBytes release(const KeyId& id, const KeyMaterial& material) override;
    void check() override { tpm_.check(); }

  private:
    Tpm& tpm_;
};

}  // namespace hal::keyd
