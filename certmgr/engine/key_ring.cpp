#include "certmgr/engine/key_ring.h"

#include <algorithm>

#include "certmgr/store/restoration.h"

namespace certmgr::engine {

bool isAsWanted(const hal::KeyInfo& key, const CertificateSpec& spec) {
    return key.algorithm == spec.keyAlgorithm &&
           (spec.keyPolicy == hal::KeyPolicy::preferTpm || toString(spec.keyPolicy) == toString(key.backend));
}

KeyId KeyRing::intend(const std::string& purpose) {
    if (const auto earlier = records_.keys.unmade(purpose)) return *earlier;
    const KeyId id = KeyId::fresh();
    records_.keys.intend(id, purpose);
    return id;
}

hal::KeyInfo KeyRing::obtain(const hal::KeyRequest& request) {
    const hal::KeyInfo info = findOrMake(request);
    records_.keys.made(info);
    return info;
}

hal::KeyInfo KeyRing::findOrMake(const hal::KeyRequest& request) {
    if (const auto earlier = store_.find(request.id)) {
        // The profile may have got other users while the order ran.
        setUsers(request.id, {request.access.users.begin(), request.access.users.end()});
        return *earlier;
    }
    const hal::KeyInfo info = store_.make(request);
    if (info.reasonCode != "as-asked")
        log_.write({Severity::notice,
                    event_id::keyFellBack,
                    "key for " + request.label + " is in " + std::string(toString(info.backend)) + ": " +
                        info.reason,
                    {{"CERTMGR_KEY", info.id.text()}, {"CERTMGR_REASON", info.reasonCode}}});
    return info;
}

void KeyRing::grant(const KeyId& id, const std::vector<std::string>& users) {
    const std::optional<hal::KeyInfo> info = store_.find(id);
    if (!info) return;  // said by whoever needs the key
    hal::AccessList access = info->access;
    for (const std::string& user : users)
        if (std::find(access.users.begin(), access.users.end(), user) == access.users.end())
            access.users.push_back(user);
    if (access != info->access) store_.setAccess(id, access);
}

void KeyRing::setUsers(const KeyId& id, const std::set<std::string>& users) {
    const std::optional<hal::KeyInfo> info = store_.find(id);
    if (!info || std::set(info->access.users.begin(), info->access.users.end()) == users) return;
    store_.setAccess(id, {{users.begin(), users.end()}, info->access.groups});
}

void KeyRing::discard(const KeyId& id) {
    if (records_.keys.used(id)) return;
    store_.destroy(id);
    records_.keys.forget(id);
}

void KeyRing::sweep() {
    for (const KeyId& id : records_.keys.unreferenced())
        if (const auto row = records_.keys.find(id); row && row->purpose != store::replacedKey) discard(id);
}

std::vector<KeyId> KeyRing::replaced() {
    std::vector<KeyId> keys = records_.keys.unreferenced();
    std::erase_if(keys, [&](const KeyId& id) {
        const auto row = records_.keys.find(id);
        return !row || row->purpose != store::replacedKey;
    });
    return keys;
}

void KeyRing::discardReplaced() {
    for (const KeyId& id : replaced()) discard(id);
}

}  // namespace certmgr::engine
