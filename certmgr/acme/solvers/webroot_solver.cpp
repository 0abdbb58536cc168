#include "certmgr/acme/solvers/webroot_solver.h"

#include <algorithm>

#include <unistd.h>

#include "certmgr/acme/solvers/readable_file.h"
#include "certmgr/core/ascii.h"
#include "certmgr/core/challenge_token.h"
#include "certmgr/core/error.h"
#include "certmgr/net/local_http.h"
#include "hal/key_store.h"

namespace certmgr::acme {
namespace {

namespace fs = std::filesystem;

bool isOurs(const fs::path& file) {
    return isChallengeToken(file.extension() == unfinishedSuffix ? file.stem().string()
                                                                 : file.filename().string());
}

constexpr std::chrono::milliseconds longestAnswer{2000};
constexpr std::size_t mostShown = 100;

// A server calls itself what it likes: cut, and with nothing in it that could rule a terminal.
std::string shown(std::string text) {
    text.resize(std::min(text.size(), mostShown));
    std::ranges::replace_if(
        text, [](char c) { return !isVisible(c) && c != ' '; }, '?');
    return text;
}

std::string describe(const net::LocalAnswer& answer) {
    const std::string who =
        answer.server.empty() ? "a server that does not say its name" : shown(answer.server);
    if (answer.status == 0) return "something that does not answer in HTTP listens";
    if (!answer.location.empty()) return who + " leads to " + shown(answer.location);
    if (answer.status == 200) return who + " answers with something else";
    return who + " answers " + std::to_string(answer.status);
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

std::optional<Solver::Missing> WebrootSolver::missing(const Proof& proof) const {
    if (port_ == 0) return std::nullopt;
    const PortAnswer answer = answerFor(proof, "127.0.0.1");
    if (answer.who == PortAnswer::Who::us) return std::nullopt;
    if (answer.who == PortAnswer::Who::nobody) return Missing{"the server of the challenges to start", false};
    return Missing{"the challenge on port " + std::to_string(port_) + ", where " + answer.words, false};
}

PortAnswer WebrootSolver::answerFor(const Proof& proof, const std::string& address) const {
    const bool ip6 = proof.identifier.value.find(':') != std::string::npos;  // RFC 3986 3.2.2
    const std::string host = ip6 ? "[" + proof.identifier.value + "]" : proof.identifier.value;
    const net::LocalAnswer answer =
        net::askLocally(address, port_, host, "/.well-known/acme-challenge/" + proof.token, longestAnswer);
    if (!answer.listening) return {address, PortAnswer::Who::nobody, "", answer.refused};
    if (answer.status == 200 && answer.body == proof.keyAuthorization)
        return {address, PortAnswer::Who::us, "", true};
    // A CA follows where it is led, and may find it there.
    return {address, PortAnswer::Who::other, describe(answer), answer.location.empty()};
}

PortAnswer WebrootSolver::answerAt(const Identifier& identifier, const std::string& address) {
    const std::string token = hal::KeyId::fresh().text();
    const Proof proof{identifier, token, token + ".of-the-preflight"};
    present(proof);
    const PortAnswer answer = answerFor(proof, address);
    remove(proof);
    return answer;
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
