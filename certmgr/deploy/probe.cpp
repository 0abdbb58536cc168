#include "certmgr/deploy/probe.h"

#include <algorithm>

#include <fmt/format.h>

#include "certmgr/core/error.h"

namespace certmgr::deploy {

Identifier serverNameFor(const std::vector<Identifier>& names) {
    if (names.empty())
        throw Error(ErrorKind::internal, "no-name",
                    "a certificate without names cannot be asked for in a handshake");
    const auto plain = std::ranges::find_if(names, [](const Identifier& name) { return !name.wildcard(); });
    if (plain != names.end()) return *plain;
    return {Identifier::Type::dns, "certmgr-probe" + names.front().value.substr(1)};
}

std::string shortfall(const Seen& seen, const std::vector<std::string>& wanted) {
    if (!seen.connected) return "nothing answers: " + seen.problem;
    if (!seen.problem.empty()) return "the handshake fails: " + seen.problem;
    if (seen.chainSha256.empty()) return "no certificate is served";
    if (seen.chainSha256.front() != wanted.front())
        return fmt::format("the certificate {:.16} is served, expected {:.16}", seen.chainSha256.front(),
                           wanted.front());
    const auto missing = std::ranges::count_if(wanted, [&](const std::string& fingerprint) {
        return std::ranges::find(seen.chainSha256, fingerprint) == seen.chainSha256.end();
    });
    if (missing == 0) return {};
    return fmt::format("the certificate {:.16} is served without {} of its {} intermediate certificates",
                       wanted.front(), missing, wanted.size() - 1);
}

}  // namespace certmgr::deploy
