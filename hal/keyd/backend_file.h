// Keys as plain PKCS#8 in their key file.
#pragma once

#include "hal/keyd/backend.h"
#include "hal/keyd/key_directory.h"

namespace hal::keyd {

class FileBackend final : public Backend {
  public:
    explicit FileBackend(const KeyDirectory& directory) : directory_(directory) {}
    KeyMaterial make(const KeyId& id, KeyAlgorithm algorithm) override;
    KeyMaterial import(const KeyId& id, Pkey key) override;
    std::unique_ptr<SigningKey> load(const KeyId& id, const KeyMaterial& material) override;
    SecretBytes release(const KeyId& id, const KeyMaterial& material) override;
    void check() override { directory_.checkRoom(); }

  private:
    const KeyDirectory& directory_;
};

}  // namespace hal::keyd
