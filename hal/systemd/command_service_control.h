#pragma once

#include "hal/service_control.h"

namespace hal {

// For boxes without systemd, and tests: runs ServiceHandle::reloadCommand. The unit is ignored.
class CommandServiceControl : public ServiceControl {
  public:
    void reload(const ServiceHandle& service) override;
};

}  // namespace hal
