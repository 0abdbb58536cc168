#include "certmgr/responder/challenge_directory.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certmgr/core/ascii.h"
#include "certmgr/core/challenge_token.h"
#include "hal/error.h"

namespace certmgr::responder {
namespace {

constexpr std::string_view prefix = "/.well-known/acme-challenge/";
constexpr std::size_t maxFile = 4096;
constexpr std::size_t longestName = 253;

}  // namespace

ChallengeDirectory::ChallengeDirectory(const std::filesystem::path& directory)
    : directory_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!directory_) hal::throwErrno(errno, "directory of challenges " + directory.string());
}

std::optional<std::string> ChallengeDirectory::find(std::string_view urlPath) const noexcept {
    if (!urlPath.starts_with(prefix)) return std::nullopt;
    const std::string token(urlPath.substr(prefix.size()));
    return isChallengeToken(token) ? read(token) : std::nullopt;
}

std::optional<std::string> ChallengeDirectory::findForServerName(std::string_view name) const {
    constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyz0123456789-._";
    const std::string file = lowered(std::string(name));
    if (file.empty() || file.size() > longestName || file.starts_with('.') ||
        file.find_first_not_of(characters) != std::string::npos)
        return std::nullopt;
    return read(file);
}

std::optional<std::string> ChallengeDirectory::read(const std::string& name) const noexcept {
    // A FIFO would block the only thread, hence O_NONBLOCK.
    const hal::UniqueFd file(
        ::openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    std::array<char, maxFile + 1> content;
    const ssize_t size = ::pread(file.get(), content.data(), content.size(), 0);
    if (size < 0 || static_cast<std::size_t>(size) > maxFile) return std::nullopt;
    return std::string(content.data(), static_cast<std::size_t>(size));
}

}  // namespace certmgr::responder
