#include "certmgr/bus/authority_arguments.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

namespace certmgr::bus {
namespace {

hal::Error badArgument(const char* code, const std::string& sentence) {
    return {hal::ErrorKind::rejected, code, sentence};
}

std::vector<std::string> readStrings(sd_bus_message* call) {
    std::vector<std::string> texts;
    check(sd_bus_message_enter_container(call, SD_BUS_TYPE_ARRAY, "s"), "sd_bus_message_enter_container");
    while (sd_bus_message_at_end(call, 0) == 0) texts.push_back(readString(call));
    check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
    return texts;
}

template <class Value>
void readVariant(sd_bus_message* call, const std::string& option, const char* type, Value& target,
                 Value (*read)(sd_bus_message*)) {
    const char* contents = nullptr;
    check(sd_bus_message_peek_type(call, nullptr, &contents), "sd_bus_message_peek_type");
    if (std::string(contents) != type)
        throw badArgument("bad-option",
                          "option " + option + " has the D-Bus type " + contents + ", expected " + type);
    check(sd_bus_message_enter_container(call, SD_BUS_TYPE_VARIANT, type), "sd_bus_message_enter_container");
    target = read(call);
    check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
}

// False: there is no such option.
bool readHolderOption(sd_bus_message* call, const std::string& option, engine::EndEntityCommand& holder) {
    if (option == "purpose")
        readVariant(call, option, "s", holder.purpose, readString);
    else if (option == "common-name")
        readVariant(call, option, "s", holder.commonName, readString);
    else if (option == "names")
        readVariant(call, option, "as", holder.names, readStrings);
    else if (option == "days")
        readVariant(call, option, "u", holder.days, readNumber);
    else
        return false;
    return true;
}

template <class ReadOption>
void readOptions(sd_bus_message* call, const char* known, ReadOption readOption) {
    check(sd_bus_message_enter_container(call, SD_BUS_TYPE_ARRAY, "{sv}"), "sd_bus_message_enter_container");
    while (check(sd_bus_message_enter_container(call, SD_BUS_TYPE_DICT_ENTRY, "sv"),
                 "sd_bus_message_enter_container") > 0) {
        const std::string option = readString(call);
        if (!readOption(option))
            throw badArgument("bad-option", "there is no option \"" + option + "\"; known are " + known);
        check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
    }
    check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
}

}  // namespace

std::string readString(sd_bus_message* call) {
    const char* text = nullptr;
    check(sd_bus_message_read(call, "s", &text), "sd_bus_message_read");
    return text;
}

std::uint32_t readNumber(sd_bus_message* call) {
    std::uint32_t number = 0;
    check(sd_bus_message_read(call, "u", &number), "sd_bus_message_read");
    return number;
}

hal::UniqueFd readDescriptor(sd_bus_message* call, Direction direction) {
    int fd = -1;
    check(sd_bus_message_read(call, "h", &fd), "sd_bus_message_read");
    struct stat status {};
    if (::fstat(fd, &status) != 0) hal::throwErrno(errno, "fstat of the descriptor");
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        throw badArgument("bad-descriptor", "the descriptor is neither a file nor a pipe nor a memfd");
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) hal::throwErrno(errno, "F_GETFL of the descriptor");
    const int wrong = direction == Direction::in ? O_WRONLY : O_RDONLY;
    if ((flags & O_ACCMODE) == wrong || (flags & O_PATH) != 0)
        throw badArgument("bad-descriptor", direction == Direction::in
                                                ? "the descriptor is not open for reading"
                                                : "the descriptor is not open for writing");
    hal::UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!own) hal::throwErrno(errno, "F_DUPFD_CLOEXEC of the descriptor");
    return own;
}

engine::EndEntityCommand readHolder(sd_bus_message* call) {
    engine::EndEntityCommand holder;
    readOptions(call, "purpose, common-name, names and days",
                [&](const std::string& option) { return readHolderOption(call, option, holder); });
    return holder;
}

engine::BundleCommand readBundle(sd_bus_message* call) {
    engine::BundleCommand command;
    readOptions(call, "purpose, common-name, names, days, key-algorithm and format",
                [&](const std::string& option) {
                    if (option == "key-algorithm")
                        readVariant(call, option, "s", command.keyAlgorithm, readString);
                    else if (option == "format")
                        readVariant(call, option, "s", command.format, readString);
                    else
                        return readHolderOption(call, option, command.holder);
                    return true;
                });
    return command;
}

}  // namespace certmgr::bus
