#include "certmgr/bus/dictionary.h"

#include "certmgr/bus/properties.h"

namespace certmgr::bus {
namespace {

template <class Value>
void appendVariant(sd_bus_message* reply, const char* name, const char* type, const Value& value) {
    check(sd_bus_message_open_container(reply, SD_BUS_TYPE_DICT_ENTRY, "sv"), "open_container");
    check(sd_bus_message_append_basic(reply, SD_BUS_TYPE_STRING, name), "append_basic");
    check(sd_bus_message_open_container(reply, SD_BUS_TYPE_VARIANT, type), "open_container");
    check(append(reply, value), "append");
    check(sd_bus_message_close_container(reply), "close_container");
    check(sd_bus_message_close_container(reply), "close_container");
}

}  // namespace

void appendEntry(sd_bus_message* reply, const char* name, const std::string& value) {
    appendVariant(reply, name, "s", value);
}

void appendEntry(sd_bus_message* reply, const char* name, const std::vector<std::string>& value) {
    appendVariant(reply, name, "as", value);
}

void appendEntry(sd_bus_message* reply, const char* name, std::int64_t value) {
    appendVariant(reply, name, "x", value);
}

void appendEntry(sd_bus_message* reply, const char* name, TimePoint value) {
    appendVariant(reply, name, "t", static_cast<std::uint64_t>(value.time_since_epoch().count()));
}

void appendEntry(sd_bus_message* reply, const char* name, bool value) {
    check(sd_bus_message_append(reply, "{sv}", name, "b", static_cast<int>(value)), "sd_bus_message_append");
}

}  // namespace certmgr::bus
