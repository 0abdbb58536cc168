#pragma once

#include <functional>
#include <utility>

#include "certmgr/deploy/probe.h"

namespace testing_support {

class FakeProbe : public certmgr::deploy::Probe {
  public:
    // What a client sees who asks for `serverName`. Until set: nothing answers.
    std::function<certmgr::deploy::Seen(const certmgr::Identifier& serverName)> see = [](const auto&) {
        return certmgr::deploy::Seen{false, "connection refused", {}};
    };
    int looks = 0;

    certmgr::deploy::Seen look(const certmgr::ProbeTarget&, const certmgr::Identifier& serverName,
                               const std::stop_token&) override {
        ++looks;
        return see(serverName);
    }
};

}  // namespace testing_support
