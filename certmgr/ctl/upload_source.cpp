#include "certmgr/ctl/upload_source.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "certmgr/core/wiped_buffer.h"
#include "certmgr/ctl/failure.h"
#include "certmgr/ctl/sealed_memory.h"

namespace certmgr::ctl {
namespace {

hal::UniqueFd copyOfStandardInput() {
    hal::UniqueFd memory = newMemory("certmgrctl-upload");
    WipedBuffer buffer;
    std::size_t total = 0;
    while (const std::size_t count =
               readSome(STDIN_FILENO, buffer.octets.data(), buffer.octets.size(), "standard input")) {
        total += count;
        if (total > maxUpload) throw Failure(ExitStatus::refused, "standard input is larger than 256 KiB");
        writeAll(memory.get(), {buffer.octets.data(), count});
    }
    rewindAndSeal(memory);
    return memory;
}

}  // namespace

hal::UniqueFd openUpload(const std::string& file) {
    if (file == "-") return copyOfStandardInput();
    hal::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd) throw Failure(ExitStatus::refused, file + ": " + std::generic_category().message(errno));
    return fd;
}

}  // namespace certmgr::ctl
