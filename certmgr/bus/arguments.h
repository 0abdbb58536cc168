// What the methods' callers send, as the engine's values. What is wrong with it is an Error(rejected).
#pragma once

#include <string>

#include "certmgr/bus/sd_bus.h"
#include "certmgr/engine/commands.h"

namespace certmgr::bus {

engine::RequestCommand readRequest(sd_bus_message* call);  // as names, a{sv} options

// Only files, pipes and memfds that can be read: nothing that could answer or block for ever in ways of its
// own (sockets, terminals, devices). Errors: "bad-descriptor", "bad-option".
engine::UploadCommand readUpload(sd_bus_message* call);             // h content, b dry run
engine::UploadCommand readUploadWithOptions(sd_bus_message* call);  // ah contents, a{sv} options

std::string readPath(sd_bus_message* call);

}  // namespace certmgr::bus
