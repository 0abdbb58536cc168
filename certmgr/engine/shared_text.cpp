#include "certmgr/engine/shared_text.h"

#include <mutex>
#include <unordered_map>

namespace certmgr::engine {
namespace {

struct Pool {
    std::mutex mutex;
    std::unordered_map<std::string, std::size_t> texts;
};

Pool& pool() {
    static Pool* const pool = new Pool;  // never gone: a static object may have a text
    return *pool;
}

}  // namespace

SharedText::Held* SharedText::hold(std::string_view text) {
    if (text.empty()) return nullptr;
    const std::lock_guard lock(pool().mutex);
    Held& held = *pool().texts.try_emplace(std::string(text), 0).first;
    ++held.second;
    return &held;
}

SharedText::SharedText(const SharedText& other) : held_(other.held_) {
    if (!held_) return;
    const std::lock_guard lock(pool().mutex);
    ++held_->second;
}

SharedText::~SharedText() {
    if (!held_) return;
    const std::lock_guard lock(pool().mutex);
    if (--held_->second == 0) pool().texts.erase(held_->first);
}

const std::string& SharedText::str() const noexcept {
    static const std::string none;
    return held_ ? held_->first : none;
}

}  // namespace certmgr::engine
