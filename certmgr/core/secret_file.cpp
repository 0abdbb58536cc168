#include "certmgr/core/secret_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certmgr/core/error.h"
#include "certmgr/core/wiped_buffer.h"
#include "hal/handle.h"

namespace certmgr {
namespace {

constexpr mode_t forbidden = S_IWGRP | S_IXGRP | S_IRWXO;  // the group may be ours

std::string octal(mode_t mode) {
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "%04o", mode & 07777);
    return text.data();
}

std::string why(const struct stat& status) {
    if (!S_ISREG(status.st_mode)) return "found no regular file, expected one of a single line";
    if (status.st_mode & forbidden)
        return "found mode " + octal(status.st_mode) + ", expected 0600, or 0640 with the group of certmgrd";
    if (status.st_uid != 0 && ::geteuid() != 0 && status.st_uid != ::geteuid())
        return "found a file of the user with the number " + std::to_string(status.st_uid) +
               ", expected one of root or of certmgrd";
    return "";
}

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& sentence) {
    throw Error(ErrorKind::misconfigured, "bad-secret-file", file.string() + ": " + sentence);
}

}  // namespace

std::string whyNotSecret(const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return std::generic_category().message(errno);
    return why(status);
}

std::string readSecret(const std::filesystem::path& file) {
    const hal::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) refuse(file, std::generic_category().message(errno));
    if (const std::string wrong = why(status); !wrong.empty()) refuse(file, wrong);
    WipedBuffer buffer;
    const ssize_t size = ::read(fd.get(), buffer.octets.data(), buffer.octets.size());
    if (size < 0) refuse(file, std::generic_category().message(errno));
    std::string_view text(buffer.octets.data(), static_cast<std::size_t>(size));
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.empty() || text.size() + 1 >= buffer.octets.size() || text.find_first_of("\n\r \t") != text.npos)
        refuse(file, "expected one line without spaces, which is the secret and nothing else");
    return std::string(text);
}

}  // namespace certmgr
