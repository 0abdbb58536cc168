#include "certmgr/daemon/probe_by_kind.h"

#include <algorithm>
#include <sstream>

#include "hal/systemd/command.h"

namespace certmgr::daemon {
namespace {

constexpr int notRunning = 3;

bool isFingerprint(const std::string& line) {
    constexpr std::string_view digits = "0123456789abcdef";
    return line.size() == 64 &&
           std::ranges::all_of(line, [&](char c) { return digits.find(c) != digits.npos; });
}

std::vector<std::string> linesOf(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

deploy::Seen ask(const ProbeTarget& target, const Identifier& serverName) {
    const hal::CommandResult result =
        hal::runCommand(target.command, std::chrono::steady_clock::now() + target.timeout,
                        {"CERTMGR_NAME=" + serverName.value, "CERTMGR_ADDRESS=" + target.address,
                         "CERTMGR_PORT=" + std::to_string(target.port)});
    const std::vector<std::string> lines = linesOf(result.output);
    const bool exited = result.end == hal::CommandResult::End::exited;
    deploy::Seen seen;
    // Over UDP silence is all there is of a service that does not run.
    const bool silent = result.end == hal::CommandResult::End::timedOut;
    seen.connected = !silent && !(exited && result.code == notRunning);
    if (!result.succeeded())
        seen.problem = exited && !lines.empty() ? lines.front() : hal::describe(target.command, result);
    else if (lines.empty() || !std::ranges::all_of(lines, isFingerprint))
        seen.problem = "the probe's command printed something else than the SHA-256 of certificates: " +
                       (lines.empty() ? "nothing" : lines.front());
    else
        seen.chainSha256 = lines;
    return seen;
}

}  // namespace

deploy::Seen ProbeByKind::look(const ProbeTarget& target, const Identifier& serverName,
                               const std::stop_token& stop) {
    return target.kind == ProbeKind::command ? ask(target, serverName)
                                             : handshake_.look(target, serverName, stop);
}

}  // namespace certmgr::daemon
