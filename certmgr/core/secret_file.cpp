#include "certmgr/core/secret_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certmgr/core/ascii.h"
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
    if (!S_ISREG(status.st_mode)) return "found no regular file";
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

// Into the buffer, whose room is more than any of these files may have.
std::string_view content(const std::filesystem::path& file, WipedBuffer& buffer) {
    const hal::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) refuse(file, std::generic_category().message(errno));
    if (const std::string wrong = why(status); !wrong.empty()) refuse(file, wrong);
    const ssize_t size = ::read(fd.get(), buffer.octets.data(), buffer.octets.size());
    if (size < 0) refuse(file, std::generic_category().message(errno));
    if (static_cast<std::size_t>(size) == buffer.octets.size())
        refuse(file, "expected less than " + std::to_string(buffer.octets.size()) + " octets");
    return {buffer.octets.data(), static_cast<std::size_t>(size)};
}

bool isName(std::string_view text) {
    constexpr std::string_view digits = "0123456789";
    constexpr std::string_view signs = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    return !text.empty() && text.find_first_not_of(signs) == std::string_view::npos &&
           digits.find(text.front()) == std::string_view::npos;
}

bool isControl(char c) {
    return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f';
}

std::string_view unquoted(std::string_view text) {
    const bool quoted =
        text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'');
    return quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

std::string whyNotSecret(const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return std::generic_category().message(errno);
    return why(status);
}

std::string readSecret(const std::filesystem::path& file) {
    WipedBuffer buffer;
    std::string_view text = content(file, buffer);
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.empty() || text.find_first_of("\n\r \t") != text.npos)
        refuse(file, "expected one line without spaces, which is the secret and nothing else");
    return std::string(text);
}

std::vector<std::string> readSecretVariables(const std::filesystem::path& file) {
    WipedBuffer buffer;
    std::string_view left = content(file, buffer);
    std::vector<std::string> variables;
    for (int number = 1; !left.empty(); ++number) {
        const std::size_t end = std::min(left.find('\n'), left.size());
        const std::string_view line = trimmed(left.substr(0, end), " \t\r");
        left.remove_prefix(std::min(end + 1, left.size()));
        if (line.empty() || line.front() == '#') continue;
        const std::size_t equals = std::min(line.find('='), line.size());
        const std::string_view name = line.substr(0, equals);
        if (equals == line.size() || !isName(name) || std::ranges::any_of(line, isControl))
            refuse(file, "line " + std::to_string(number) + ": expected NAME=value");
        variables.push_back(std::string(name) + "=" + std::string(unquoted(line.substr(equals + 1))));
    }
    return variables;
}

}  // namespace certmgr
