#include "certmgr/bus/arguments.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

namespace certmgr::bus {
namespace {

hal::Error rejected(const char* code, const std::string& sentence) {
    return {hal::ErrorKind::rejected, code, sentence};
}

template <class Value>
Value readBasic(sd_bus_message* call, char type) {
    Value value{};
    check(sd_bus_message_read_basic(call, type, &value), "sd_bus_message_read_basic");
    return value;
}

template <class Value>
std::vector<Value> readArray(sd_bus_message* call, const char* type, Value (*read)(sd_bus_message*)) {
    std::vector<Value> values;
    check(sd_bus_message_enter_container(call, SD_BUS_TYPE_ARRAY, type), "sd_bus_message_enter_container");
    while (sd_bus_message_at_end(call, 0) == 0) values.push_back(read(call));
    check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
    return values;
}

hal::UniqueFd readInput(sd_bus_message* call) {
    return readDescriptor(call, Direction::in);
}

struct VariantReader {
    sd_bus_message* call;
    const std::string& option;

    void operator()(std::string* target) const { read("s", *target, readText); }
    void operator()(std::vector<std::string>* target) const { read("as", *target, readTexts); }
    void operator()(bool* target) const { read("b", *target, readBoolean); }
    void operator()(std::uint32_t* target) const { read("u", *target, readNumber); }
    void operator()(hal::UniqueFd* target) const { read("h", *target, readInput); }

  private:
    template <class Value>
    void read(const std::string& type, Value& target, Value (*readValue)(sd_bus_message*)) const {
        const char* contents = nullptr;
        check(sd_bus_message_peek_type(call, nullptr, &contents), "sd_bus_message_peek_type");
        if (contents != type)
            throw rejected("bad-option",
                           "option " + option + " has the D-Bus type " + contents + ", expected " + type);
        check(sd_bus_message_enter_container(call, SD_BUS_TYPE_VARIANT, type.c_str()),
              "sd_bus_message_enter_container");
        target = readValue(call);
        check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
    }
};

std::string listed(const std::vector<Option>& options) {
    std::string names = options.front().name;
    for (std::size_t i = 1; i < options.size(); ++i)
        names += (i + 1 < options.size() ? ", " : " and ") + options[i].name;
    return names;
}

void readOption(sd_bus_message* call, const std::vector<Option>& known) {
    const std::string name = readText(call);
    const auto option = std::ranges::find(known, name, &Option::name);
    if (option == known.end())
        throw rejected("bad-option", "there is no option \"" + name + "\"; known are " + listed(known));
    std::visit(VariantReader{call, name}, option->target);
}

}  // namespace

std::string readText(sd_bus_message* call) {
    return readBasic<const char*>(call, SD_BUS_TYPE_STRING);
}

std::vector<std::string> readTexts(sd_bus_message* call) {
    return readArray(call, "s", readText);
}

bool readBoolean(sd_bus_message* call) {
    return readBasic<int>(call, SD_BUS_TYPE_BOOLEAN) != 0;
}

std::uint32_t readNumber(sd_bus_message* call) {
    return readBasic<std::uint32_t>(call, SD_BUS_TYPE_UINT32);
}

std::string readPath(sd_bus_message* call) {
    return readBasic<const char*>(call, SD_BUS_TYPE_OBJECT_PATH);
}

hal::UniqueFd readDescriptor(sd_bus_message* call, Direction direction) {
    const int fd = readBasic<int>(call, SD_BUS_TYPE_UNIX_FD);
    struct stat status {};
    if (::fstat(fd, &status) != 0) hal::throwErrno(errno, "fstat of the descriptor");
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        throw rejected("bad-descriptor", "the descriptor is neither a file nor a pipe nor a memfd");
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) hal::throwErrno(errno, "F_GETFL of the descriptor");
    const int wrong = direction == Direction::in ? O_WRONLY : O_RDONLY;
    if ((flags & O_ACCMODE) == wrong || (flags & O_PATH) != 0)
        throw rejected("bad-descriptor", direction == Direction::in
                                             ? "the descriptor is not open for reading"
                                             : "the descriptor is not open for writing");
    hal::UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!own) hal::throwErrno(errno, "F_DUPFD_CLOEXEC of the descriptor");
    return own;
}

std::vector<hal::UniqueFd> readDescriptors(sd_bus_message* call) {
    return readArray(call, "h", readInput);
}

void readOptions(sd_bus_message* call, const std::vector<Option>& known) {
    check(sd_bus_message_enter_container(call, SD_BUS_TYPE_ARRAY, "{sv}"), "sd_bus_message_enter_container");
    while (check(sd_bus_message_enter_container(call, SD_BUS_TYPE_DICT_ENTRY, "sv"),
                 "sd_bus_message_enter_container") > 0) {
        readOption(call, known);
        check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
    }
    check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
}

}  // namespace certmgr::bus
