// Answers that are dictionaries with string keys.
#pragma once

#include <string>
#include <vector>

#include "certmgr/bus/sd_bus.h"
#include "certmgr/core/clock.h"

namespace certmgr::bus {

// One {sv} of the a{sv} that is open in `reply`.
void appendEntry(sd_bus_message* reply, const char* name, const std::string& value);               // s
void appendEntry(sd_bus_message* reply, const char* name, const std::vector<std::string>& value);  // as
void appendEntry(sd_bus_message* reply, const char* name, std::int64_t value);                     // x
void appendEntry(sd_bus_message* reply, const char* name, TimePoint value);                        // t
void appendEntry(sd_bus_message* reply, const char* name, bool value);                             // b
void appendEntry(sd_bus_message* reply, const char* name, const char* value) = delete;             // not b

// An aa{sv}; `entries` appends those of one element.
template <class Range, class Entries>
void appendDictionaries(sd_bus_message* reply, const Range& range, Entries entries) {
    check(sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "a{sv}"), "open_container");
    for (const auto& element : range) {
        check(sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "{sv}"), "open_container");
        entries(reply, element);
        check(sd_bus_message_close_container(reply), "close_container");
    }
    check(sd_bus_message_close_container(reply), "close_container");
}

// The same as one {sv}.
template <class Range, class Entries>
void appendEntry(sd_bus_message* reply, const char* name, const Range& range, Entries entries) {
    check(sd_bus_message_open_container(reply, SD_BUS_TYPE_DICT_ENTRY, "sv"), "open_container");
    check(sd_bus_message_append_basic(reply, SD_BUS_TYPE_STRING, name), "append_basic");
    check(sd_bus_message_open_container(reply, SD_BUS_TYPE_VARIANT, "aa{sv}"), "open_container");
    appendDictionaries(reply, range, entries);
    check(sd_bus_message_close_container(reply), "close_container");
    check(sd_bus_message_close_container(reply), "close_container");
}

// Answers `call` with an aa{sv}.
template <class Range, class Entries>
void replyDictionaries(sd_bus_message* call, const Range& range, Entries entries) {
    sd_bus_message* created = nullptr;
    check(sd_bus_message_new_method_return(call, &created), "sd_bus_message_new_method_return");
    const Message reply(created);
    appendDictionaries(created, range, entries);
    check(sd_bus_send(nullptr, created, nullptr), "sd_bus_send");
}

}  // namespace certmgr::bus
