// sd-bus vtables, made from pointers to the members of a view.
#pragma once

#include <array>
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

template <class View>
struct Property {
    sd_bus_vtable entry;
    bool (*same)(const View& before, const View& after);  // nullptr: its changes are not told
};

template <class View, class Value>
const Value& memberOf(const void* view, Value View::*member) {
    return static_cast<const View*>(view)->*member;
}

// The object that the vtable's finder found is the view.
template <auto member>
int get(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* view, sd_bus_error*) {
    return append(reply, memberOf(view, member));
}

template <auto member, class View>
bool same(const View& before, const View& after) {
    return before.*member == after.*member;
}

template <auto member, std::uint64_t flags, class View, class Value>
constexpr Property<View> propertyOf(Value View::*, const char* name, const char* signature) {
    constexpr bool told = (flags & SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE) != 0;
    return {SD_BUS_PROPERTY(name, signature, get<member>, 0, flags), told ? same<member, View> : nullptr};
}

template <auto member, std::uint64_t flags>
constexpr auto property(const char* name, const char* signature) {
    return propertyOf<member, flags>(member, name, signature);
}

template <const auto& properties>
constexpr auto vtable = [] {
    std::array<sd_bus_vtable, properties.size() + 2> all{};
    all.front() = SD_BUS_VTABLE_START(0);
    for (std::size_t i = 0; i < properties.size(); ++i) all[i + 1] = properties[i].entry;
    all.back() = SD_BUS_VTABLE_END;
    return all;
}();

// The names of those whose change is to be told, with nullptr at the end, as sd-bus takes them.
using ChangedProperties = std::vector<char*> (*)(const void* before, const void* after);

template <class View, std::size_t count>
std::vector<char*> changedOf(const std::array<Property<View>, count>& properties, const void* before,
                             const void* after) {
    std::vector<char*> names;
    for (const Property<View>& each : properties)
        if (each.same && !each.same(*static_cast<const View*>(before), *static_cast<const View*>(after)))
            names.push_back(const_cast<char*>(each.entry.x.property.member));  // sd-bus only reads it
    names.push_back(nullptr);
    return names;
}

template <const auto& properties>
std::vector<char*> changedOf(const void* before, const void* after) {
    return changedOf(properties, before, after);
}

}  // namespace certmgr::bus
