#include "certmgr/engine/key_ring.h"

namespace certmgr::engine {

KeyId KeyRing::intend(const std::string& purpose) {
    const KeyId id = KeyId::fresh();
    records_.keys.intend(id, purpose);
    return id;
}

hal::KeyInfo KeyRing::obtain(const hal::KeyRequest& request) {
    if (const auto earlier = store_.find(request.id)) {
        records_.keys.made(*earlier);
        return *earlier;
    }
    const hal::KeyInfo info = store_.make(request);
    records_.keys.made(info);
    if (info.reasonCode != "as-asked")
        log_.write({Severity::notice, event_id::keyFellBack,
                    "key for " + request.label + " is in " + std::string(toString(info.backend)) + ": " + info.reason,
                    {{"CERTMGR_KEY", info.id.text()}, {"CERTMGR_REASON", info.reasonCode}}});
    return info;
}

void KeyRing::discard(const KeyId& id) {
    if (records_.keys.used(id)) return;
    store_.destroy(id);
    records_.keys.forget(id);
}

void KeyRing::sweep() {
    for (const KeyId& id : records_.keys.unreferenced()) discard(id);
}

}  // namespace certmgr::engine
