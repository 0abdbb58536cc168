// Property getters of sd-bus vtables, made from pointers to the members of a view.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "certmgr/bus/sd_bus.h"
#include "certmgr/engine/views.h"

namespace certmgr::bus {

int append(sd_bus_message* reply, const std::string& value);                          // s
int append(sd_bus_message* reply, std::uint64_t value);                               // t
int append(sd_bus_message* reply, std::int64_t value);                                // x
int append(sd_bus_message* reply, const std::vector<std::string>& value);             // as
int append(sd_bus_message* reply, const std::vector<engine::DeploymentView>& value);  // aa{sv}

template <class View, class Value>
const Value& memberOf(const void* view, Value View::*member) {
    return static_cast<const View*>(view)->*member;
}

// For SD_BUS_PROPERTY; the object that the vtable's finder found is the view.
template <auto member>
int property(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* view,
             sd_bus_error*) {
    return append(reply, memberOf(view, member));
}

}  // namespace certmgr::bus
