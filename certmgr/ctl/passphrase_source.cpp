#include "certmgr/ctl/passphrase_source.h"

#include <array>
#include <string_view>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <termios.h>
#include <unistd.h>

#include "certmgr/ctl/failure.h"
#include "certmgr/ctl/sealed_memory.h"

namespace certmgr::ctl {
namespace {

// One line, wiped at its end.
class Line {
  public:
    explicit Line(int fd) {
        // One by one: what follows the line may be the upload.
        while (readSome(fd, octets_.data() + size_, 1, "the passphrase") == 1 && octets_[size_] != '\n')
            if (++size_ > maxPassphrase)
                throw Failure(ExitStatus::refused, "the passphrase is longer than 1024 bytes");
    }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() { OPENSSL_cleanse(octets_.data(), octets_.size()); }
    std::string_view view() const { return {octets_.data(), size_}; }

  private:
    std::array<char, maxPassphrase + 1> octets_{};
    std::size_t size_ = 0;
};

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

    Line ask(std::string_view question) const {
        writeAll(fd_.get(), question);
        const NewLine after{fd_.get()};
        return Line(fd_.get());
    }

  private:
    // The one that was typed was not shown.
    struct NewLine {
        int fd;
        ~NewLine() { [[maybe_unused]] const ssize_t written = ::write(fd, "\n", 1); }
    };

    hal::UniqueFd fd_;
    termios before_{};
};

hal::UniqueFd memoryWith(const Line& passphrase) {
    hal::UniqueFd memory = newMemory("certmgrctl-passphrase");
    writeAll(memory.get(), passphrase.view());
    rewindAndSeal(memory);
    return memory;
}

}  // namespace

hal::UniqueFd askPassphrase() {
    return memoryWith(SilentTerminal().ask("Passphrase: "));
}

hal::UniqueFd askNewPassphrase() {
    const SilentTerminal terminal;
    const Line first = terminal.ask("New passphrase: ");
    const Line second = terminal.ask("Once more: ");
    if (first.view().empty()) throw Failure(ExitStatus::refused, "the passphrase is empty");
    if (first.view() != second.view()) throw Failure(ExitStatus::refused, "the two passphrases differ");
    return memoryWith(first);
}

hal::UniqueFd passphraseFrom(int fd) {
    return memoryWith(Line(fd));
}

}  // namespace certmgr::ctl
