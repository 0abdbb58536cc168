#pragma once

#include "hal/service_control.h"

namespace hal {

// For boxes without systemd, and tests: runs ServiceHandle::reloadCommand. The units are ignored.
class CommandServiceControl : public ServiceControl {
  public:
    void reload(const ServiceHandle& service) override;
};

}  // namespace hal
