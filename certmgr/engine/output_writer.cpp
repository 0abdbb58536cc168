#include "certmgr/engine/output_writer.h"

#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certmgr/core/error.h"

namespace certmgr::engine {
namespace {

constexpr int silenceMs = 10'000;

[[noreturn]] void refuseOutput(const char* why) {
    reject("bad-output", std::string("the output ") + why);
}

}  // namespace

void writeOutput(const hal::UniqueFd& fd, std::string_view content) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) hal::throwErrno(errno, "output");
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        refuseOutput("is neither a file nor a pipe: expected one of them");
    // A pipe takes what fits and never blocks; the flag is the open file's, which the caller shares.
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (S_ISFIFO(status.st_mode)) ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);
    while (!content.empty()) {
        pollfd waiting{fd.get(), POLLOUT, 0};
        if (::poll(&waiting, 1, silenceMs) == 0) refuseOutput("is a pipe that nobody reads");
        const ssize_t count = ::write(fd.get(), content.data(), content.size());
        if (count < 0 && errno == EPIPE) refuseOutput("is a pipe whose reader has gone");
        if (count < 0 && errno != EINTR && errno != EAGAIN) hal::throwErrno(errno, "output");
        if (count > 0) content.remove_prefix(static_cast<std::size_t>(count));
    }
}

}  // namespace certmgr::engine
