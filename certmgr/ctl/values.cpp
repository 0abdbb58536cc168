#include "certmgr/ctl/values.h"

#include <string>

#include "certmgr/ctl/failure.h"

namespace certmgr::ctl {
namespace {

void require(int result) {
    if (result < 0) throw Failure(ExitStatus::failed, "certmgrd sent a message that cannot be read");
}

template <class T>
Json readBasic(sd_bus_message* message, char type) {
    T value{};
    require(sd_bus_message_read_basic(message, type, &value));
    return value;
}

Json readDictionary(sd_bus_message* message, const char* entry) {
    const std::string types(entry + 1, std::string(entry).size() - 2);  // without the braces
    Json object = Json::object();
    while (true) {
        const int entered = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, types.c_str());
        require(entered);
        if (entered == 0) return object;
        const auto key = readValue(message).get<std::string>();
        object[key] = readValue(message);
        require(sd_bus_message_exit_container(message));
    }
}

Json readArray(sd_bus_message* message, const char* elements) {
    require(sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, elements));
    Json array = Json::array();
    if (elements[0] == SD_BUS_TYPE_DICT_ENTRY_BEGIN) {
        array = readDictionary(message, elements);
    } else {
        while (sd_bus_message_at_end(message, 0) == 0) array.push_back(readValue(message));
    }
    require(sd_bus_message_exit_container(message));
    return array;
}

Json readVariant(sd_bus_message* message, const char* contents) {
    require(sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, contents));
    Json value = readValue(message);
    require(sd_bus_message_exit_container(message));
    return value;
}

}  // namespace

Json readValue(sd_bus_message* message) {
    char type = 0;
    const char* contents = nullptr;
    require(sd_bus_message_peek_type(message, &type, &contents));
    switch (type) {
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
            return readBasic<const char*>(message, type);
        case SD_BUS_TYPE_BOOLEAN:
            return readBasic<int>(message, type) != 0;
        case SD_BUS_TYPE_UINT32:
            return readBasic<std::uint32_t>(message, type);
        case SD_BUS_TYPE_UINT64:
            return readBasic<std::uint64_t>(message, type);
        case SD_BUS_TYPE_INT64:
            return readBasic<std::int64_t>(message, type);
        case SD_BUS_TYPE_ARRAY:
            return readArray(message, contents);
        case SD_BUS_TYPE_VARIANT:
            return readVariant(message, contents);
        default:
            throw Failure(ExitStatus::failed, std::string("certmgrd sent a value of the unexpected type '") +
                                                  type +
                                                  "'; certmgrctl and certmgrd are of different versions");
    }
}

}  // namespace certmgr::ctl
