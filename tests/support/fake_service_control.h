#pragma once

#include <functional>
#include <vector>

#include "hal/service_control.h"

namespace testing_support {

class FakeServiceControl : public hal::ServiceControl {
  public:
    std::function<void()> onReload = [] {};  // throws hal::Error for a reload that fails
    std::vector<hal::ServiceHandle> reloads;

    void reload(const hal::ServiceHandle& service) override {
        reloads.push_back(service);
        onReload();
    }
};

}  // namespace testing_support
