// org.certmgr1.Acme: the CAs on the net and the accounts there. Each method behind its right.
#pragma once

#include "certmgr/bus/authorizer.h"
#include "certmgr/engine/commands.h"

namespace certmgr::bus {

class AcmeManager {
  public:
    AcmeManager(sd_bus* bus, Authorizer& authorizer, engine::AcmeCommands& commands);
    AcmeManager(const AcmeManager&) = delete;
    AcmeManager& operator=(const AcmeManager&) = delete;

    // One for each method of the interface, as sd-bus calls it; what they throw becomes the error reply.
    void listAccounts(sd_bus_message* call);
    void getBudget(sd_bus_message* call);
    void changeAccountKey(sd_bus_message* call);
    void deactivateAccount(sd_bus_message* call);
    void revoke(sd_bus_message* call);
    void preflight(sd_bus_message* call);
    void persistRecords(sd_bus_message* call);

  private:
    Authorizer& authorizer_;
    engine::AcmeCommands& commands_;
    Slot slot_;
};

}  // namespace certmgr::bus
