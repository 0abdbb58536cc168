#include "certmgr/ctl/passphrase_source.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
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

using Buffer = std::array<char, 1024>;

// As it was again, also where reading throws.
class EchoOff {
  public:
    explicit EchoOff(int terminal) : terminal_(terminal) {
        if (::tcgetattr(terminal_, &before_) != 0)
            throw Failure(ExitStatus::failed, "the terminal cannot be asked");
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(terminal_, TCSAFLUSH, &quiet);
    }
    ~EchoOff() { ::tcsetattr(terminal_, TCSAFLUSH, &before_); }
    EchoOff(const EchoOff&) = delete;
    EchoOff& operator=(const EchoOff&) = delete;

  private:
    int terminal_;
    termios before_{};
};

std::string_view ask(int terminal, std::string_view question, Buffer& buffer) {
    [[maybe_unused]] const ssize_t asked = ::write(terminal, question.data(), question.size());
    const ssize_t count = ::read(terminal, buffer.data(), buffer.size());
    [[maybe_unused]] const ssize_t ended = ::write(terminal, "\n", 1);
    std::string_view line(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    if (line.ends_with('\n')) line.remove_suffix(1);
    return line;
}

hal::UniqueFd memory() {
    hal::UniqueFd fd(::memfd_create("certmgrctl-passphrase", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) throw Failure(ExitStatus::failed, "memfd_create: " + std::generic_category().message(errno));
    return fd;
}

hal::UniqueFd typed(int terminal) {
    Buffer first{};
    Buffer second{};
    const EchoOff quiet(terminal);
    const std::string_view one = ask(terminal, "Passphrase: ", first);
    const std::string_view other = ask(terminal, "Once more: ", second);
    const bool usable = !one.empty() && one == other;
    hal::UniqueFd fd = memory();
    const bool written =
        usable && ::write(fd.get(), one.data(), one.size()) == static_cast<ssize_t>(one.size());
    OPENSSL_cleanse(first.data(), first.size());
    OPENSSL_cleanse(second.data(), second.size());
    if (!written) throw Failure(ExitStatus::refused, "the passphrases are empty or differ");
    ::lseek(fd.get(), 0, SEEK_SET);
    ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    return fd;
}

}  // namespace

hal::UniqueFd openPassphrase(std::optional<int> given) {
    if (given) {
        hal::UniqueFd fd(::fcntl(*given, F_DUPFD_CLOEXEC, 3));
        if (!fd)
            throw Failure(ExitStatus::usage, "descriptor " + std::to_string(*given) +
                                                 " is not open; expected the passphrase there");
        return fd;
    }
    const hal::UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!terminal)
        throw Failure(ExitStatus::usage,
                      "there is no terminal to ask for the passphrase; give it by --passphrase-fd");
    return typed(terminal.get());
}

hal::UniqueFd emptyInput() {
    return memory();
}

}  // namespace certmgr::ctl
