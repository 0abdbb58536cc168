#include "certmgr/bus/arguments.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

namespace certmgr::bus {
namespace {

hal::Error rejected(const char* code, const std::string& sentence) {
    return {hal::ErrorKind::rejected, code, sentence};
}

std::string readText(sd_bus_message* call) {
    const char* text = nullptr;
    check(sd_bus_message_read(call, "s", &text), "sd_bus_message_read");
    return text;
}

bool readBoolean(sd_bus_message* call) {
    int value = 0;
    check(sd_bus_message_read(call, "b", &value), "sd_bus_message_read");
    return value != 0;
}

template <class Read>
void readVariant(sd_bus_message* call, const std::string& option, const char* type, Read read) {
    const char* contents = nullptr;
    check(sd_bus_message_peek_type(call, nullptr, &contents), "sd_bus_message_peek_type");
    if (std::string(contents) != type)
        throw rejected("bad-option",
                       "option " + option + " has the D-Bus type " + contents + ", expected " + type);
    check(sd_bus_message_enter_container(call, SD_BUS_TYPE_VARIANT, type), "sd_bus_message_enter_container");
    read();
    check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
}

hal::Error unknownOption(const std::string& option, const char* known) {
    return rejected("bad-option", "there is no option \"" + option + "\"; known are " + known);
}

// a{sv}: `read` is given the name, and takes the variant.
template <class Read>
void readOptions(sd_bus_message* call, Read read) {
    check(sd_bus_message_enter_container(call, SD_BUS_TYPE_ARRAY, "{sv}"), "sd_bus_message_enter_container");
    while (check(sd_bus_message_enter_container(call, SD_BUS_TYPE_DICT_ENTRY, "sv"),
                 "sd_bus_message_enter_container") > 0) {
        read(readText(call));
        check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
    }
    check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
}

void readOption(sd_bus_message* call, const std::string& option, engine::RequestCommand& command) {
    if (option == "key-algorithm") {
        readVariant(call, option, "s", [&] { command.keyAlgorithm = readText(call); });
    } else if (option == "key-policy") {
        readVariant(call, option, "s", [&] { command.keyPolicy = readText(call); });
    } else if (option == "acme") {
        readVariant(call, option, "b", [&] { command.acme = readBoolean(call); });
    } else {
        throw unknownOption(option, "key-algorithm, key-policy and acme");
    }
}

void requireReadableFileOrPipe(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) hal::throwErrno(errno, "fstat of the uploaded descriptor");
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        throw rejected("bad-descriptor", "the uploaded descriptor is neither a file nor a pipe nor a memfd");
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) hal::throwErrno(errno, "F_GETFL of the uploaded descriptor");
    if ((flags & O_ACCMODE) == O_WRONLY || (flags & O_PATH) != 0)
        throw rejected("bad-descriptor", "the uploaded descriptor is not open for reading");
}

hal::UniqueFd readDescriptor(sd_bus_message* call) {
    int fd = -1;
    check(sd_bus_message_read(call, "h", &fd), "sd_bus_message_read");
    requireReadableFileOrPipe(fd);
    hal::UniqueFd descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 3));  // the message closes its own
    if (!descriptor) hal::throwErrno(errno, "F_DUPFD_CLOEXEC of the uploaded descriptor");
    return descriptor;
}

}  // namespace

engine::RequestCommand readRequest(sd_bus_message* call) {
    engine::RequestCommand command;
    check(sd_bus_message_enter_container(call, SD_BUS_TYPE_ARRAY, "s"), "sd_bus_message_enter_container");
    while (sd_bus_message_at_end(call, 0) == 0) command.names.push_back(readText(call));
    check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
    readOptions(call, [&](const std::string& option) { readOption(call, option, command); });
    return command;
}

engine::UploadCommand readUpload(sd_bus_message* call) {
    engine::UploadCommand command;
    command.contents.push_back(readDescriptor(call));
    command.dryRun = readBoolean(call);
    return command;
}

engine::UploadCommand readUploadWithOptions(sd_bus_message* call) {
    engine::UploadCommand command;
    check(sd_bus_message_enter_container(call, SD_BUS_TYPE_ARRAY, "h"), "sd_bus_message_enter_container");
    while (sd_bus_message_at_end(call, 0) == 0) command.contents.push_back(readDescriptor(call));
    check(sd_bus_message_exit_container(call), "sd_bus_message_exit_container");
    readOptions(call, [&](const std::string& option) {
        if (option == "passphrase") {
            readVariant(call, option, "h", [&] { command.passphrase = readDescriptor(call); });
        } else if (option == "dry-run") {
            readVariant(call, option, "b", [&] { command.dryRun = readBoolean(call); });
        } else {
            throw unknownOption(option, "passphrase and dry-run");
        }
    });
    return command;
}

std::string readPath(sd_bus_message* call) {
    const char* path = nullptr;
    check(sd_bus_message_read(call, "o", &path), "sd_bus_message_read");
    return path;
}

}  // namespace certmgr::bus
