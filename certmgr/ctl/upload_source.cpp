#include "certmgr/ctl/upload_source.h"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <unistd.h>

#include "certmgr/ctl/failure.h"

namespace certmgr::ctl {
namespace {

[[noreturn]] void refuse(const std::string& what, int errnum) {
    throw Failure(ExitStatus::refused, what + ": " + std::generic_category().message(errnum));
}

void writeAll(int fd, const char* data, std::size_t size) {
    while (size > 0) {
        const ssize_t written = ::write(fd, data, size);
        if (written < 0) refuse("the upload cannot be buffered", errno);
        data += written;
        size -= static_cast<std::size_t>(written);
    }
}

// It may hold a private key: nothing of it stays behind in this process.
hal::UniqueFd copyOfStandardInput() {
    hal::UniqueFd memory(::memfd_create("certmgrctl-upload", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!memory) refuse("memfd_create", errno);
    std::array<char, 16 * 1024> buffer{};
    std::size_t total = 0;
    while (true) {
        const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) refuse("standard input", errno);
        if (count == 0) break;
        total += static_cast<std::size_t>(count);
        if (total > maxUpload) throw Failure(ExitStatus::refused, "standard input is larger than 256 KiB");
        writeAll(memory.get(), buffer.data(), static_cast<std::size_t>(count));
    }
    OPENSSL_cleanse(buffer.data(), buffer.size());
    if (::lseek(memory.get(), 0, SEEK_SET) != 0) refuse("the upload cannot be buffered", errno);
    ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    return memory;
}

}  // namespace

hal::UniqueFd openUpload(const std::string& file) {
    if (file == "-") return copyOfStandardInput();
    hal::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd) refuse(file, errno);
    return fd;
}

}  // namespace certmgr::ctl
