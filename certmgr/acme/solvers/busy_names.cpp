#include "certmgr/acme/solvers/busy_names.h"

namespace certmgr::acme {

void BusyNames::End::operator()(const std::string* name) const {
    const std::lock_guard lock(of->mutex_);
    of->names_.erase(of->names_.find(*name));
    of->ended_.notify_all();
}

BusyNames::Turn BusyNames::await(const std::string& name) {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return !names_.contains(name); });
    return {&*names_.insert(name).first, End{this}};
}

BusyNames::Turn BusyNames::tryNow(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto [entry, added] = names_.insert(name);
    return {added ? &*entry : nullptr, End{this}};
}

}  // namespace certmgr::acme
