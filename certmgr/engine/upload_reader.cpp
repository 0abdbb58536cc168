#include "certmgr/engine/upload_reader.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>

#include <poll.h>
#include <sys/stat.h>

#include "certmgr/core/error.h"
#include "certmgr/core/wiped_buffer.h"
#include "certmgr/crypto/upload_parts.h"

namespace certmgr::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds longestSilence{10};
constexpr std::chrono::seconds longestWhole{60};  // each holds one of few workers
constexpr int stopNoticedMs = 100;

// EINTR comes back as "nothing yet", so that the read that follows never blocks.
void awaitContent(int fd, std::string_view what, Clock::time_point whole, const std::stop_token& stop) {
    const Clock::time_point until = std::min(Clock::now() + longestSilence, whole);
    while (Clock::now() < until) {
        if (stop.stop_requested())
            throw Error(ErrorKind::transient, "cancelled",
                        "certmgrd was stopped before " + std::string(what) + " was whole");
        pollfd waiting{fd, POLLIN, 0};
        if (::poll(&waiting, 1, stopNoticedMs) > 0) return;
    }
    reject("bad-upload",
           std::string(what) +
               " came by a pipe that stayed silent for ten seconds, or was not whole after a minute: write "
               "all of it, then close the pipe");
}

}  // namespace

crypto::SecretText readSecret(const hal::UniqueFd& fd, std::size_t limit, std::string_view what,
                              const std::stop_token& stop) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) hal::throwErrno(errno, what);
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        reject("bad-upload", std::string(what) + " is neither a file nor a pipe: expected one of them");
    crypto::SecretText secret(limit + 1);
    WipedBuffer buffer;
    const Clock::time_point whole = Clock::now() + longestWhole;
    while (secret.view().size() <= limit) {
        awaitContent(fd.get(), what, whole, stop);
        const ssize_t count = ::read(fd.get(), buffer.octets.data(), buffer.octets.size());
        if (count < 0 && errno != EINTR) hal::throwErrno(errno, what);
        if (count == 0) return secret;
        if (count > 0) secret.append({buffer.octets.data(), static_cast<std::size_t>(count)});
    }
    reject("too-large",
           std::string(what) + " is larger than the " + std::to_string(limit) + " bytes that are taken");
}

crypto::SecretText readPassphrase(const hal::UniqueFd& fd, const std::stop_token& stop) {
    crypto::SecretText passphrase = readSecret(fd, crypto::maximumPassphrase, "the passphrase", stop);
    if (passphrase.view().ends_with('\n')) passphrase.removeSuffix(1);
    if (passphrase.view().ends_with('\r')) passphrase.removeSuffix(1);
    return passphrase;
}

}  // namespace certmgr::engine
