// org.certmgr1.Manager: the methods, each behind its right.
#pragma once

#include <functional>
#include <string>

#include "certmgr/bus/authorizer.h"
#include "certmgr/engine/commands.h"

namespace certmgr::bus {

class Manager {
  public:
    Manager(sd_bus* bus, Authorizer& authorizer, engine::Commands& commands);
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

    // One for each method of the interface, as sd-bus calls it; what they throw becomes the error reply.
    void request(sd_bus_message* call);
    void upload(sd_bus_message* call);
    void uploadWithOptions(sd_bus_message* call);
    void reissue(sd_bus_message* call);
    void remove(sd_bus_message* call);
    void checkService(sd_bus_message* call);
    void getRootCertificate(sd_bus_message* call);

  private:
    // `command` runs when the sender has the right to manage; the job it names is the reply.
    void manage(sd_bus_message* call, std::function<std::string()> command);

    Authorizer& authorizer_;
    engine::Commands& commands_;
    Slot slot_;
};

}  // namespace certmgr::bus
