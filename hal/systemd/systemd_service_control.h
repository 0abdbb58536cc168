#pragma once

#include "hal/service_control.h"

namespace hal {

// Asks systemd for StartUnit of the install unit and ReloadUnit of the service over the system bus
// (DBUS_SYSTEM_BUS_ADDRESS where that is set) and waits for the jobs' results; each on a connection of its
// own. The caller needs polkit's org.freedesktop.systemd1.manage-units for both units.
// ServiceHandle::reloadCommand is ignored.
class SystemdServiceControl : public ServiceControl {
  public:
    void reload(const ServiceHandle& service) override;
    // The first part of reload() by itself.
    void install(const ServiceHandle& service);
};

}  // namespace hal
