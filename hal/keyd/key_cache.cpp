#include "hal/keyd/key_cache.h"

namespace hal::keyd {

KeyCache::Lookup KeyCache::find(const KeyId& id) {
    const std::lock_guard lock(mutex_);
    const auto found = byId_.find(id.text());
    if (found == byId_.end()) return {nullptr, generation_};
    entries_.splice(entries_.begin(), entries_, found->second);
    return {found->second->second, generation_};
}

void KeyCache::insert(const KeyId& id, std::shared_ptr<const CachedKey> key, std::uint64_t generation) {
    const std::lock_guard lock(mutex_);
    if (generation != generation_ || byId_.contains(id.text())) return;
    entries_.emplace_front(id, std::move(key));
    byId_.emplace(id.text(), entries_.begin());
    if (entries_.size() <= capacity_) return;
    byId_.erase(entries_.back().first.text());
    entries_.pop_back();
}

void KeyCache::forget(const KeyId& id) {
    const std::lock_guard lock(mutex_);
    ++generation_;
    const auto found = byId_.find(id.text());
    if (found == byId_.end()) return;
    entries_.erase(found->second);
    byId_.erase(found);
}

}  // namespace hal::keyd
