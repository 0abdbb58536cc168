// sd-bus behind handles, and its return codes as exceptions.
#pragma once

#include <string>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "hal/error.h"
#include "hal/handle.h"

namespace certmgr::bus {

using Bus = hal::Handle<sd_bus, sd_bus_flush_close_unref>;
using Message = hal::Handle<sd_bus_message, sd_bus_message_unref>;
using Slot = hal::Handle<sd_bus_slot, sd_bus_slot_unref>;
using Track = hal::Handle<sd_bus_track, sd_bus_track_unref>;
using Credentials = hal::Handle<sd_bus_creds, sd_bus_creds_unref>;

// Returns `result` of an sd-bus call, or throws Error(internal, "bus-failed") that names the call.
int check(int result, const char* call);

// A reference of our own to what a callback was given.
inline Message share(sd_bus_message* message) {
    return Message(sd_bus_message_ref(message));
}

// "PREFIX/ID" with sd-bus' escaping of the id, and back; not below the prefix: empty.
std::string pathOf(const char* prefix, const std::string& id);
std::string idOf(const char* prefix, const std::string& path);

}  // namespace certmgr::bus
