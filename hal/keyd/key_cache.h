// Keys in use, ready to sign, so that no file is read and no key parsed for each signature.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "hal/keyd/backend.h"

namespace hal::keyd {

struct CachedKey {
    AccessList access;
    std::unique_ptr<SigningKey> key;
};

// Threads: any.
class KeyCache {
  public:
    explicit KeyCache(std::size_t capacity) : capacity_(capacity) {}

    struct Lookup {
        std::shared_ptr<const CachedKey> key;  // null: not here
        std::uint64_t generation;              // for insert()
    };
    Lookup find(const KeyId& id);
    // Does nothing where a key was forgotten since the lookup: it may be this one, read before it was
    // destroyed.
    void insert(const KeyId& id, std::shared_ptr<const CachedKey> key, std::uint64_t generation);
    void forget(const KeyId& id);

  private:
    using Entry = std::pair<KeyId, std::shared_ptr<const CachedKey>>;

    const std::size_t capacity_;
    std::mutex mutex_;  // guards what follows
    std::uint64_t generation_ = 0;
    std::list<Entry> entries_;  // the most recently used first
    std::unordered_map<std::string, std::list<Entry>::iterator> byId_;
};

}  // namespace hal::keyd
