#include "hal/keyd/admission.h"

namespace hal::keyd {

bool Admission::enter(uid_t uid, bool manager) {
    const std::lock_guard lock(mutex_);
    if (connections_ >= limits_.connections) return false;
    if (!manager) {
        const auto mine = byUser_.find(uid);
        if (others_ + limits_.keptForManagers >= limits_.connections) return false;
        if (mine != byUser_.end() && mine->second >= limits_.perUser) return false;
        ++others_;
        ++byUser_[uid];
    }
    ++connections_;
    return true;
}

void Admission::leave(uid_t uid, bool manager) {
    const std::lock_guard lock(mutex_);
    --connections_;
    if (manager) return;
    --others_;
    if (--byUser_[uid] == 0) byUser_.erase(uid);
}

}  // namespace hal::keyd
