#include "certmgr/engine/own_trust.h"

#include <algorithm>

#include "certmgr/crypto/x509.h"
#include "certmgr/deploy/directory.h"
#include "certmgr/engine/file_modes.h"
#include "certmgr/engine/system_trust.h"

namespace certmgr::engine {
namespace {

constexpr const char* fact = "own-trust";
constexpr const char* yes = "yes";
constexpr const char* removing = "removing";  // a crash may come before the unit has done it
constexpr const char* no = "no";

// The unit as a service without certificates: it is started, and there is nothing to reload.
ServiceProfile trustUnit() {
    ServiceProfile profile;
    profile.name = "system-trust";
    profile.handle.installUnit = "certmgr-trust.service";
    return profile;
}

std::size_t ownIn(const std::filesystem::path& bundle, const std::string& rootsPem) {
    const std::vector<TrustAnchor> anchors = readSystemTrust(bundle, rootsPem, std::nullopt);
    return static_cast<std::size_t>(std::ranges::count(anchors, true, &TrustAnchor::own));
}

}  // namespace

void OwnTrust::want(bool trusted) {
    records_.meta.set(fact, trusted ? yes : removing);
}

void OwnTrust::bring(const std::string& rootsPem) {
    const std::lock_guard lock(bringing_);
    const auto wish = records_.meta.get(fact);
    const bool trusted = wish == yes;
    const std::string content = trusted ? rootsPem : "";
    if (wish != removing && asWanted(content)) return;
    deploy::Directory::openOrMake(file_.parent_path()).replace(file_.filename(), content, readableByAll);
    deployer_.reload(trustUnit());
    if (!trusted) records_.meta.set(fact, no);
    requireTaken(rootsPem, trusted);
}

// A restore may have brought another wish, and somebody else may have made the bundle anew.
bool OwnTrust::asWanted(const std::string& content) const {
    const auto told = deploy::Directory::openOrMake(file_.parent_path()).read(file_.filename());
    if (told.value_or("") != content) return false;
    if (content.empty()) return true;
    try {
        return ownIn(systemFile_, content) == crypto::chainSha256(content).size();
    } catch (const Error&) {  // the unit makes it anew
        return false;
    }
}

void OwnTrust::requireTaken(const std::string& rootsPem, bool trusted) const {
    const std::size_t found = ownIn(systemFile_, rootsPem);
    const std::size_t expected = trusted ? crypto::chainSha256(rootsPem).size() : 0;
    if (found == expected) return;
    throw Error(ErrorKind::misconfigured, "trust-not-taken",
                systemFile_.string() + " has " + std::to_string(found) +
                    " of the roots of this box, expected " + std::to_string(expected) +
                    (trusted ? "; see journalctl -u certmgr-trust.service"
                             : "; somebody else than certmgr put them there, below "
                               "/usr/local/share/ca-certificates"));
}

}  // namespace certmgr::engine
