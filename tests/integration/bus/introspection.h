// What the service says of itself, read from its introspection.
#pragma once

#include <map>
#include <string>

#include "tests/integration/bus/bus_host.h"

namespace certmgr::bus {

struct InterfaceDescription {
    std::map<std::string, std::string> methods;     // name -> signature of what goes in
    std::map<std::string, std::string> properties;  // name -> type
};

// Interface org.certmgr1.* -> description, of the object.
std::map<std::string, InterfaceDescription> introspect(sd_bus* bus, const std::string& path);

}  // namespace certmgr::bus
