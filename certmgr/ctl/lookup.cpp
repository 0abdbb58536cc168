#include "certmgr/ctl/lookup.h"

#include <algorithm>
#include <vector>

#include "certmgr/core/ascii.h"
#include "certmgr/ctl/failure.h"

namespace certmgr::ctl {
namespace {

// RFC 4343: names are compared without regard to case; a trailing dot says nothing new.
std::string normalized(std::string name) {
    name = lowered(std::move(name));
    if (name.ends_with('.')) name.pop_back();
    return name;
}

}  // namespace

std::string findCertificate(const ObjectMap& certificates, const std::string& text) {
    const std::string wanted = normalized(text);
    if (certificates.contains(wanted)) return wanted;
    std::vector<std::string> matches;
    for (const auto& [id, certificate] : certificates) {
        const auto names = certificate.value("Names", std::vector<std::string>{});
        if (std::find(names.begin(), names.end(), wanted) != names.end()) matches.push_back(id);
    }
    if (matches.size() == 1) return matches.front();
    if (matches.empty())
        throw Failure(ExitStatus::notFound, "there is no certificate \"" + text + "\"; see: certmgrctl list");
    std::string list;
    for (const std::string& id : matches) list += (list.empty() ? "" : ", ") + id;
    throw Failure(ExitStatus::notFound,
                  "\"" + text + "\" is a name of several certificates; say which one: " + list);
}

}  // namespace certmgr::ctl
