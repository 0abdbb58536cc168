// What the interfaces with methods share.
#pragma once

#include <functional>
#include <string>

#include "certmgr/bus/authorizer.h"
#include "certmgr/bus/errors.h"

namespace certmgr::bus {

// Without this flag sd-bus itself would refuse whoever is not root; here every handler asks polkit.
inline constexpr auto anyone = SD_BUS_VTABLE_UNPRIVILEGED;

template <class Interface>
void invoke(void* object, void (Interface::*handler)(sd_bus_message*), sd_bus_message* call) {
    (static_cast<Interface*>(object)->*handler)(call);
}

// For SD_BUS_METHOD_WITH_ARGS: `handler` of the object that the vtable was added with. What it throws becomes
// the error reply.
template <auto handler>
int method(sd_bus_message* call, void* object, sd_bus_error*) {
    replyWithErrors(call, [&] { invoke(object, handler, call); });
    return 1;
}

// At the root path.
Slot addInterface(sd_bus* bus, const char* interface, const sd_bus_vtable* vtable, void* object);

// Runs `command` when the sender has the right to `action`; the job whose id it returns is the reply.
void replyWithJob(sd_bus_message* call, Authorizer& authorizer, const char* action,
                  std::function<std::string()> command);

}  // namespace certmgr::bus
