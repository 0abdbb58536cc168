#include "certmgr/acme/solvers/webroot_solver.h"

#include <cerrno>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certmgr/core/challenge_token.h"
#include "certmgr/core/error.h"
#include "hal/handle.h"
#include "hal/write_all.h"

namespace certmgr::acme {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours longestRun{24};
constexpr std::string_view temporarySuffix = ".tmp";

bool isOurs(const fs::path& file) {
    return isChallengeToken(file.extension() == temporarySuffix ? file.stem().string()
                                                                : file.filename().string());
}

bool listens(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const hal::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) hal::throwErrno(errno, "socket");
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

WebrootSolver::WebrootSolver(fs::path directory, std::uint16_t port)
    : directory_(std::move(directory)), port_(port) {}

void WebrootSolver::present(const Proof& proof) {
    if (!isChallengeToken(proof.token))
        throw Error(ErrorKind::rejected, "bad-token", "the CA's challenge token is not base64url");
    const std::string what = "writing a challenge into " + directory_.string();
    const fs::path file = directory_ / proof.token;
    const fs::path temporary = file.string() + std::string(temporarySuffix);
    try {
        const hal::UniqueFd fd(
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
        // The umask of a daemon is strict, but whoever serves the file runs as somebody else.
        if (!fd || ::fchmod(fd.get(), 0644) != 0) hal::throwErrno(errno, what);
        if (const int failed = hal::writeAll(fd.get(), proof.keyAuthorization)) hal::throwErrno(failed, what);
        if (::rename(temporary.c_str(), file.c_str()) != 0) hal::throwErrno(errno, what);
    } catch (const Error&) {
        ::unlink(temporary.c_str());
        throw;
    }
}

void WebrootSolver::remove(const Proof& proof) noexcept {
    if (isChallengeToken(proof.token)) ::unlink((directory_ / proof.token).c_str());
}

std::optional<Solver::Missing> WebrootSolver::missing(const Proof&) const {
    if (port_ == 0 || listens(port_)) return std::nullopt;
    return Missing{"the server of the challenges to start", false};
}

int WebrootSolver::clearAway() {
    purge(fs::file_time_type::clock::now() - longestRun);
    return 0;
}

int WebrootSolver::purge(fs::file_time_type oldest) const {
    int purged = 0;
    std::error_code unreadable;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_, unreadable)) {
        std::error_code gone;  // by another order that ended meanwhile
        if (!isOurs(entry.path()) || !entry.is_regular_file(gone) || entry.is_symlink(gone)) continue;
        if (entry.last_write_time(gone) < oldest && !gone && fs::remove(entry.path(), gone)) ++purged;
    }
    return purged;
}

}  // namespace certmgr::acme
