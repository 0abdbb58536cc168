// org.certmgr1.BackupManager: the state of the box into a file, and back. Each method behind its right.
#pragma once

#include "certmgr/bus/authorizer.h"
#include "certmgr/engine/commands.h"

namespace certmgr::bus {

class BackupManager {
  public:
    BackupManager(sd_bus* bus, Authorizer& authorizer, engine::BackupCommands& commands);
    BackupManager(const BackupManager&) = delete;
    BackupManager& operator=(const BackupManager&) = delete;

    // One for each method of the interface, as sd-bus calls it; what they throw becomes the error reply.
    void backup(sd_bus_message* call);
    void restore(sd_bus_message* call);

  private:
    Authorizer& authorizer_;
    engine::BackupCommands& commands_;
    Slot slot_;
};

}  // namespace certmgr::bus
