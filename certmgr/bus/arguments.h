// What the callers of the methods send. What is wrong with it is an Error(rejected).
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "certmgr/bus/sd_bus.h"

namespace certmgr::bus {

std::string readText(sd_bus_message* call);                // s
std::vector<std::string> readTexts(sd_bus_message* call);  // as
bool readBoolean(sd_bus_message* call);                    // b
std::uint32_t readNumber(sd_bus_message* call);            // u
std::string readPath(sd_bus_message* call);                // o

// Of our own, since the message closes its own. Only a file, a pipe or a memfd: nothing that could answer or
// block for ever in ways of its own (sockets, terminals, devices). Error "bad-descriptor".
enum class Direction { in, out };
hal::UniqueFd readDescriptor(sd_bus_message* call, Direction direction);  // h
std::vector<hal::UniqueFd> readDescriptors(sd_bus_message* call);         // ah, each to be read from

// One of an a{sv}, and where its value goes: s, as, b, u, or h to be read from.
struct Option {
    std::string name;
    std::variant<std::string*, std::vector<std::string>*, bool*, std::uint32_t*, hal::UniqueFd*> target;
};
// Those that are not there leave their target as it is. Error "bad-option": one that is not known, or has
// another type.
void readOptions(sd_bus_message* call, const std::vector<Option>& known);

}  // namespace certmgr::bus
