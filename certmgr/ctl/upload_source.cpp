#include "certmgr/ctl/upload_source.h"

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <termios.h>
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

// What passes through here may be secret, and is wiped.
template <std::size_t size>
struct Buffer {
    std::array<char, size> octets{};
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { OPENSSL_cleanse(octets.data(), octets.size()); }
};

hal::UniqueFd newMemory(const char* name) {
    hal::UniqueFd memory(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!memory) refuse("memfd_create", errno);
    return memory;
}

void rewindAndSeal(const hal::UniqueFd& memory) {
    if (::lseek(memory.get(), 0, SEEK_SET) != 0) refuse("the upload cannot be buffered", errno);
    ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
}

std::size_t readSome(int fd, char* data, std::size_t size, const std::string& what) {
    while (true) {
        const ssize_t count = ::read(fd, data, size);
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno != EINTR) refuse(what, errno);
    }
}

hal::UniqueFd copyOfStandardInput() {
    hal::UniqueFd memory = newMemory("certmgrctl-upload");
    Buffer<16 * 1024> buffer;
    std::size_t total = 0;
    while (const std::size_t count =
               readSome(STDIN_FILENO, buffer.octets.data(), buffer.octets.size(), "standard input")) {
        total += count;
        if (total > maxUpload) throw Failure(ExitStatus::refused, "standard input is larger than 256 KiB");
        writeAll(memory.get(), buffer.octets.data(), count);
    }
    rewindAndSeal(memory);
    return memory;
}

// The terminal without echo, as it was before at the end.
class SilentTerminal {
  public:
    SilentTerminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
        if (!fd_ || ::tcgetattr(fd_.get(), &before_) != 0)
            throw Failure(ExitStatus::refused,
                          "there is no terminal to ask for the passphrase on; give it by --passphrase-fd");
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(fd_.get(), TCSAFLUSH, &silent);
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;
    ~SilentTerminal() { ::tcsetattr(fd_.get(), TCSAFLUSH, &before_); }
    int fd() const noexcept { return fd_.get(); }

  private:
    hal::UniqueFd fd_;
    termios before_{};
};

}  // namespace

hal::UniqueFd openUpload(const std::string& file) {
    if (file == "-") return copyOfStandardInput();
    hal::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd) refuse(file, errno);
    return fd;
}

hal::UniqueFd askPassphrase() {
    const SilentTerminal terminal;
    constexpr std::string_view question = "Passphrase: ";
    writeAll(terminal.fd(), question.data(), question.size());
    hal::UniqueFd passphrase = passphraseFrom(terminal.fd());
    writeAll(terminal.fd(), "\n", 1);
    return passphrase;
}

hal::UniqueFd passphraseFrom(int fd) {
    hal::UniqueFd memory = newMemory("certmgrctl-passphrase");
    Buffer<maxPassphrase + 1> line;
    std::size_t size = 0;
    // One by one: what follows the line may be the upload.
    while (readSome(fd, line.octets.data() + size, 1, "the passphrase") == 1 && line.octets[size] != '\n')
        if (++size > maxPassphrase)
            throw Failure(ExitStatus::refused, "the passphrase is longer than 1024 bytes");
    writeAll(memory.get(), line.octets.data(), size);
    rewindAndSeal(memory);
    return memory;
}

}  // namespace certmgr::ctl
