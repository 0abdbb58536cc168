// What the callers of org.certmgr1.AuthorityManager send, as the engine's values. What is wrong with it is an
// Error(rejected).
#pragma once

#include <cstdint>
#include <string>

#include "certmgr/bus/sd_bus.h"
#include "certmgr/engine/authority_commands.h"

namespace certmgr::bus {

std::string readString(sd_bus_message* call);
std::uint32_t readNumber(sd_bus_message* call);

// Of our own, since the message closes its own. Only a file, a pipe or a memfd: nothing that could answer or
// block for ever in ways of its own (sockets, terminals, devices). Error "bad-descriptor".
enum class Direction { in, out };
hal::UniqueFd readDescriptor(sd_bus_message* call, Direction direction);

// a{sv}: purpose (s), common-name (s), names (as), days (u), and key-algorithm (s) and format (s) where the
// key is made here. Error "bad-option".
engine::EndEntityCommand readHolder(sd_bus_message* call);
engine::BundleCommand readBundle(sd_bus_message* call);

}  // namespace certmgr::bus
