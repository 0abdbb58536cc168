// A profile that names a command is reloaded by it, all others through systemd, which does the steps that
// need root for both.
#pragma once

#include "hal/systemd/command_service_control.h"
#include "hal/systemd/systemd_service_control.h"

namespace certmgr::daemon {

class ServiceControlByProfile : public hal::ServiceControl {
  public:
    void reload(const hal::ServiceHandle& service) override {
        if (service.reloadCommand.empty()) return systemd_.reload(service);
        systemd_.install(service);
        commands_.reload(service);
    }

  private:
    hal::SystemdServiceControl systemd_;
    hal::CommandServiceControl commands_;
};

}  // namespace certmgr::daemon
