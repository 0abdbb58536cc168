// The key files: DIR/<id>.key, one a key, mode 0600, whichever back end the key is in.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "hal/keyd/backend.h"

namespace hal::keyd {

struct KeyFile {
    KeyInfo info;  // with the public half
    SecretBytes stored;
};

// The only writer of its directory while it lives (a lock sees to that). Every change is durable when the
// call returns; one that fails or is cut short by a crash leaves what was there before.
//
// Threads: any; replace() and remove() of one key must not run at once.
class KeyDirectory {
  public:
    // Makes the directory (0700) where it is absent, and removes what a crash left half written. Throws
    // Error(misconfigured, "directory-unusable") where others could write into it or another keyd has it.
    explicit KeyDirectory(std::filesystem::path directory);

    void create(const KeyFile& file);  // never overwrites: "key-exists"
    void replace(const KeyFile& file);
    bool remove(const KeyId& id);  // false: absent already
    bool contains(const KeyId& id) const;
    std::optional<KeyFile> load(const KeyId& id) const;  // throws "key-damaged" for a file that is not whole
    std::vector<KeyId> ids() const;                      // sorted

    // What belongs to no one key. Never overwrites: false where the name exists.
    bool createNamed(const std::string& name, const SecretBytes& content);
    std::optional<SecretBytes> loadNamed(const std::string& name) const;

    // Throws Error(internal, "disk-full") where less than a few keys' worth of room is left.
    void checkRoom() const;

  private:
    std::string writeTemporary(const std::string& name, std::span<const std::uint8_t> content) const;
    void syncDirectory() const;
    void removeTemporaries() const;

    std::filesystem::path path_;
    UniqueFd directory_;
};

}  // namespace hal::keyd
