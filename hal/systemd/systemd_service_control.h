#pragma once

#include "hal/service_control.h"

namespace hal {

// Asks systemd for ReloadUnit over the system bus (DBUS_SYSTEM_BUS_ADDRESS where that is set) and waits for
// the job's result; each call on a connection of its own. The caller needs polkit's
// org.freedesktop.systemd1.manage-units for the unit. ServiceHandle::reloadCommand is ignored.
class SystemdServiceControl : public ServiceControl {
  public:
    void reload(const ServiceHandle& service) override;
};

}  // namespace hal
