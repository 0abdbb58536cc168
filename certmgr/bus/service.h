// org.certmgr1 on the system bus: translation between the engine and D-Bus, and the rights. org.certmgr1(7)
// documents it.
#pragma once

#include "certmgr/bus/acme_manager.h"
#include "certmgr/bus/authority_manager.h"
#include "certmgr/bus/authorizer.h"
#include "certmgr/bus/backup_manager.h"
#include "certmgr/bus/manager.h"
#include "certmgr/bus/objects.h"
#include "certmgr/bus/read_gate.h"

namespace certmgr::bus {

// Registers everything with `bus` when made; nothing is seen before acquireName(). All on the thread that
// processes `bus`, which is also the thread that changes `views`. The three must outlive it.
class Service {
  public:
    // `views` are those that commands.views() shows.
    Service(sd_bus* bus, engine::Commands& commands, engine::Views& views);

    // Blocks for the broker's answer. Error(misconfigured, "name-refused"): another certmgrd runs, or the bus
    // policy does not let this user own the name.
    void acquireName();

  private:
    sd_bus* bus_;
    Authorizer authorizer_;
    Objects objects_;
    Manager manager_;
    AuthorityManager authorityManager_;
    BackupManager backupManager_;
    AcmeManager acmeManager_;
    ReadGate gate_;
};

}  // namespace certmgr::bus
