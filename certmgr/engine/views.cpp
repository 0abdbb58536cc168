#include "certmgr/engine/views.h"

namespace certmgr::engine {

template <class View>
void Views::store(std::map<std::string, View>& views, Kind kind, const std::string& id, View view) {
    const auto [entry, added] = views.try_emplace(id);
    if (!added && entry->second == view) return;
    std::swap(entry->second, view);
    if (!listener_) return;
    if (added)
        listener_({kind, id, Change::added});
    else
        listener_({kind, id, Change::changed, &view, &entry->second});
}

void Views::put(CertificateView view) {
    const std::string id = view.id;
    store(certificates_, Kind::certificate, id, std::move(view));
}

void Views::put(ServiceView view) {
    const std::string id = view.name;
    store(services_, Kind::service, id, std::move(view));
}

void Views::put(AuthorityView view) {
    const std::string id = view.id;
    store(authorities_, Kind::authority, id, std::move(view));
}

void Views::put(UploadView view) {
    const std::string id = view.id;
    store(uploads_, Kind::upload, id, std::move(view));
}

void Views::put(JobView view) {
    const std::string id = view.id;
    store(jobs_, Kind::job, id, std::move(view));
}

void Views::put(AlarmView view) {
    const std::string id = view.id;
    store(alarms_, Kind::alarm, id, std::move(view));
}

void Views::remove(Kind kind, const std::string& id) {
    std::size_t removed = 0;
    switch (kind) {
        case Kind::certificate:
            removed = certificates_.erase(id);
            break;
        case Kind::service:
            removed = services_.erase(id);
            break;
        case Kind::authority:
            removed = authorities_.erase(id);
            break;
        case Kind::upload:
            removed = uploads_.erase(id);
            break;
        case Kind::job:
            removed = jobs_.erase(id);
            break;
        case Kind::alarm:
            removed = alarms_.erase(id);
            break;
    }
    if (removed > 0 && listener_) listener_({kind, id, Change::removed});
}

}  // namespace certmgr::engine
