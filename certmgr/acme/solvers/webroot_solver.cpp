#include "certmgr/acme/solvers/webroot_solver.h"

#include <unistd.h>

#include "certmgr/acme/solvers/local_port.h"
#include "certmgr/acme/solvers/readable_file.h"
#include "certmgr/core/challenge_token.h"
#include "certmgr/core/error.h"

namespace certmgr::acme {
namespace {

namespace fs = std::filesystem;

bool isOurs(const fs::path& file) {
    return isChallengeToken(file.extension() == unfinishedSuffix ? file.stem().string()
                                                                 : file.filename().string());
}

}  // namespace

WebrootSolver::WebrootSolver(fs::path directory, std::uint16_t port, SharedPort* outside)
    : directory_(std::move(directory)), port_(port), outside_(outside) {}

void WebrootSolver::present(const Proof& proof) {
    if (!isChallengeToken(proof.token))
        throw Error(ErrorKind::rejected, "bad-token", "the CA's challenge token is not base64url");
    writeReadable(directory_ / proof.token, proof.keyAuthorization);
}

void WebrootSolver::remove(const Proof& proof) noexcept {
    if (isChallengeToken(proof.token)) ::unlink((directory_ / proof.token).c_str());
}

std::optional<Solver::Missing> WebrootSolver::missing(const Proof&) const {
    if (port_ == 0 || listensLocally(port_)) return std::nullopt;
    return Missing{"the server of the challenges to start", false};
}

int WebrootSolver::clearAway() {
    purge(fs::file_time_type::clock::now() - longestRun);
    return outside_ && !outside_->closeUnused() ? 1 : 0;
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
