#include "certmgr/bus/service.h"

#include <system_error>

#include "certmgr/bus/names.h"

namespace certmgr::bus {

Service::Service(sd_bus* bus, engine::Commands& commands, engine::Views& views)
    : bus_(bus),
      authorizer_(bus),
      objects_(bus, commands, views),
      manager_(bus, authorizer_, commands),
      authorityManager_(bus, authorizer_, commands.authority()),
      backupManager_(bus, authorizer_, commands.backups()),
      acmeManager_(bus, authorizer_, commands.acme()),
      gate_(bus, authorizer_) {}

void Service::acquireName() {
    const int result = sd_bus_request_name(bus_, serviceName, 0);
    if (result >= 0) return;
    const bool taken = result == -EEXIST || result == -EALREADY;
    throw hal::Error(hal::ErrorKind::misconfigured, "name-refused",
                     std::string("the bus name ") + serviceName +
                         (taken ? " has an owner already: another certmgrd runs"
                                : " was refused: " + std::generic_category().message(-result) +
                                      "; expected a bus policy that lets this user own it "
                                      "(/usr/share/dbus-1/system.d/org.certmgr1.conf)"));
}

}  // namespace certmgr::bus
