// What keyd does, whoever asks and however the question came: chooses the back end, keeps the files, signs.
#pragma once

#include <array>
#include <mutex>
#include <string_view>

#include "hal/keyd/backend_file.h"
#include "hal/keyd/backend_sealed.h"
#include "hal/keyd/backend_tpm.h"
#include "hal/keyd/key_cache.h"
#include "hal/keyd/key_directory.h"

namespace hal::keyd {

// Semantics and errors of hal::KeyStore. Threads: any.
class KeyService {
  public:
    KeyService(std::filesystem::path directory, std::string tcti);

    KeyInfo make(const KeyRequest& request);
    KeyInfo import(const KeyRequest& request, std::string_view pem);
    std::optional<KeyInfo> find(const KeyId& id);
    // In the order of the ids, those behind `after`, until they weigh about `weight` bytes. Damaged files are
    // left out.
    std::vector<KeyInfo> list(std::string_view after, std::size_t weight);
    void setAccess(const KeyId& id, const AccessList& access);
    bool destroy(const KeyId& id);
    enum class Release {
        once,   // refused where the key was handed out before
        again,  // for the installer: a crash, or a second service of the same certificate, asks once more
    };
    std::string release(const KeyId& id, Release release);
    Bytes exportWrapped(const KeyId& id, std::span<const std::uint8_t> wrappingKey);
    KeyInfo importWrapped(const KeyId& id, std::span<const std::uint8_t> wrappingKey,
                          std::span<const std::uint8_t> wrapped);
    std::vector<BackendHealth> health();

    // For one signature or many. Throws "key-not-found".
    std::shared_ptr<const CachedKey> keyFor(const KeyId& id);

    std::vector<KeyId> damagedKeys() const;

  private:
    Backend& backend(KeyBackend which);
    KeyFile prepare(const KeyRequest& request) const;
    std::unique_ptr<SigningKey> makeIn(KeyBackend which, KeyFile& file);
    KeyInfo create(const KeyFile& file, std::unique_ptr<SigningKey> ready);
    KeyFile require(const KeyId& id) const;

    KeyDirectory directory_;
    Tpm tpm_;
    FileBackend file_;
    SealedBackend sealed_;
    TpmBackend tpmBackend_;
    KeyCache cache_;
    std::mutex changing_;  // setAccess, release, destroy and importWrapped: they rewrite what exists
};

}  // namespace hal::keyd
