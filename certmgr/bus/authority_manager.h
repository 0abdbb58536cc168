// org.certmgr1.AuthorityManager: what the box's own CA does for others, and what is done to it. Each method
// behind its right.
#pragma once

#include <functional>
#include <string>

#include "certmgr/bus/authorizer.h"
#include "certmgr/engine/commands.h"

namespace certmgr::bus {

class AuthorityManager {
  public:
    AuthorityManager(sd_bus* bus, Authorizer& authorizer, engine::AuthorityCommands& commands);
    AuthorityManager(const AuthorityManager&) = delete;
    AuthorityManager& operator=(const AuthorityManager&) = delete;

    // One for each method of the interface, as sd-bus calls it; what they throw becomes the error reply.
    void signRequest(sd_bus_message* call);
    void issue(sd_bus_message* call);
    void revoke(sd_bus_message* call);
    void listIssued(sd_bus_message* call);
    void generate(sd_bus_message* call);
    void import(sd_bus_message* call);
    void makeRequest(sd_bus_message* call);
    void install(sd_bus_message* call);
    void reissue(sd_bus_message* call);
    void getTrustBundle(sd_bus_message* call);
    void getRevocationLists(sd_bus_message* call);
    void getSystemTrust(sd_bus_message* call);
    void trustOwnRoots(sd_bus_message* call);

  private:
    // `command` runs when the sender has the right to change the authority; the job it names is the reply.
    void change(sd_bus_message* call, std::function<std::string()> command);

    Authorizer& authorizer_;
    engine::AuthorityCommands& commands_;
    Slot slot_;
};

}  // namespace certmgr::bus
