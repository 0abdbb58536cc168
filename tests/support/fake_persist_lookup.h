// A zone with records of dns-persist-01 inside the test, judged as those of real name servers are.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "certmgr/acme/persist_lookup.h"

namespace testing_support {

class FakePersistLookup : public certmgr::acme::PersistLookup {
  public:
    explicit FakePersistLookup(const certmgr::Clock& clock) : clock_(clock) {}

    certmgr::PersistAnswer look(const certmgr::Identifier& name,
                                const certmgr::acme::Asking& ca) const override {
        const std::lock_guard lock(mutex_);
        asked_.push_back(name.value);
        if (silent_)
            throw certmgr::Error(certmgr::ErrorKind::transient, "dns-unreachable", "no name server answers");
        const auto there = texts_.find(certmgr::persistOwner(name));
        return certmgr::judgePersist(there == texts_.end() ? std::vector<std::string>{} : there->second,
                                     {ca.issuers, ca.account, name.wildcard(), clock_.now()});
    }

    // Takes the place of all that is there.
    void put(const std::string& owner, const std::vector<std::string>& texts) {
        const std::lock_guard lock(mutex_);
        texts_[owner] = texts;
    }
    void setSilent(bool silent) {
        const std::lock_guard lock(mutex_);
        silent_ = silent;
    }
    std::vector<std::string> asked() const {  // the names, the oldest first
        const std::lock_guard lock(mutex_);
        return asked_;
    }

  private:
    const certmgr::Clock& clock_;
    mutable std::mutex mutex_;
    mutable std::vector<std::string> asked_;
    std::map<std::string, std::vector<std::string>> texts_;  // by their owner
    bool silent_ = false;
};

}  // namespace testing_support
