#pragma once

#include "hal/port_opener.h"

namespace hal {

// Has systemd start and stop certmgr-port@PORT.service, which does it as root and is bound to
// certmgr.service: it ends with that, however that ends. The caller needs polkit's
// org.freedesktop.systemd1.manage-units for it. Errors: "port-not-opened", "port-not-closed", "port-timeout",
// and as runUnitJob.
class SystemdPortOpener : public PortOpener {
  public:
    void open(std::uint16_t port) override;
    void close(std::uint16_t port) override;
};

}  // namespace hal
