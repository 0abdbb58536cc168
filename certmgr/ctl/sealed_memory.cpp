#include "certmgr/ctl/sealed_memory.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "certmgr/ctl/failure.h"
#include "hal/file.h"

namespace certmgr::ctl {
namespace {

[[noreturn]] void refuse(const std::string& what, int errnum) {
    throw Failure(ExitStatus::refused, what + ": " + std::generic_category().message(errnum));
}

}  // namespace

hal::UniqueFd newMemory(const char* name) {
    hal::UniqueFd memory(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!memory) refuse("memfd_create", errno);
    return memory;
}

void writeAll(int fd, std::string_view content) {
    if (const int failed = hal::writeAll(fd, content)) refuse("the input cannot be buffered", failed);
}

void rewindAndSeal(const hal::UniqueFd& memory) {
    if (::lseek(memory.get(), 0, SEEK_SET) != 0) refuse("the input cannot be buffered", errno);
    ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
}

std::size_t readSome(int fd, char* data, std::size_t size, const std::string& what) {
    while (true) {
        const ssize_t count = ::read(fd, data, size);
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno != EINTR) refuse(what, errno);
    }
}

}  // namespace certmgr::ctl
