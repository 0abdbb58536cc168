// A service in memory: takes the files at a reload and shows them to the probe. What real services do wrong
// is tested with the real ones; here they are as quick as the manual clock.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "certmgr/core/service_profile.h"
#include "certmgr/deploy/deployer.h"

namespace testing_support {

class FakeService : public hal::ServiceControl, public certmgr::deploy::Probe {
  public:
    enum class Mood { good, ignoresReload, down };

    FakeService(const certmgr::deploy::GenerationStore& generations, const certmgr::ServiceProfile& profile)
        : generations_(generations), profile_(profile) {}

    std::function<void(const std::string& unit)> onInstall = [](const std::string&) {};  // on a worker

    void reload(const hal::ServiceHandle& handle) override {
        if (!handle.installUnit.empty()) return onInstall(handle.installUnit);
        const std::lock_guard lock(mutex_);
        ++reloads_;
        if (mood_ != Mood::good) return;
        for (const certmgr::CertificateSpec& spec : profile_.certificates)
            if (const auto generation = generations_.active(profile_.name, spec.id))
                served_[spec.names.front()] = generations_.chainSha256(profile_.name, spec.id, *generation);
    }

    std::function<void()> onLook = [] {};  // on the worker that proves

    static constexpr int nobodyThere = 9;  // a port at which a service is never proved

    certmgr::deploy::Seen look(const certmgr::ProbeTarget& target, const certmgr::Identifier& name,
                               const std::stop_token&) override {
        onLook();
        const std::lock_guard lock(mutex_);
        if (mood_ == Mood::down || target.port == nobodyThere) return {false, "connection refused", {}};
        const auto found = served_.find(name);
        if (found == served_.end()) return {true, "no certificate for this name", {}};
        return {true, "", found->second};
    }

    void set(Mood mood) {
        const std::lock_guard lock(mutex_);
        mood_ = mood;
    }
    int reloads() const {
        const std::lock_guard lock(mutex_);
        return reloads_;
    }
    std::string servedLeaf(const certmgr::Identifier& name) const {
        const std::lock_guard lock(mutex_);
        const auto found = served_.find(name);
        return found == served_.end() || found->second.empty() ? "" : found->second.front();
    }

  private:
    const certmgr::deploy::GenerationStore& generations_;
    const certmgr::ServiceProfile profile_;
    mutable std::mutex mutex_;
    Mood mood_ = Mood::good;
    int reloads_ = 0;
    std::map<certmgr::Identifier, std::vector<std::string>> served_;
};

}  // namespace testing_support
