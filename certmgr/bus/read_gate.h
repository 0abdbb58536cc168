// Puts reading (Properties.Get and GetAll, ObjectManager.GetManagedObjects) behind the right to view.
#pragma once

#include "certmgr/bus/authorizer.h"

namespace certmgr::bus {

// sd-bus answers those calls by itself and at once, so there is no handler that could wait for polkit. A
// filter holds back the first one of a client; when polkit has said yes, the same call is sent once more from
// here to here, and its answer handed on. The client's further calls pass until it leaves the bus.
class ReadGate {
  public:
    ReadGate(sd_bus* bus, Authorizer& authorizer);
    ReadGate(const ReadGate&) = delete;
    ReadGate& operator=(const ReadGate&) = delete;

  private:
    static int filter(sd_bus_message* call, void* gate, sd_bus_error* error);
    bool passes(sd_bus_message* call);
    void repeat(sd_bus_message* call);

    sd_bus* bus_;
    Authorizer& authorizer_;
    Track viewers_;
    Slot slot_;
};

}  // namespace certmgr::bus
