#include "certmgr/engine/views.h"

namespace certmgr::engine {
namespace {

template <class View>
std::optional<Views::Change> store(std::map<std::string, View>& views, const std::string& id, View view) {
    const auto [entry, added] = views.try_emplace(id);
    if (!added && entry->second == view) return std::nullopt;
    entry->second = std::move(view);
    return added ? Views::Change::added : Views::Change::changed;
}

}  // namespace

void Views::put(CertificateView view) {
    const std::string id = view.id;
    tell(Kind::certificate, id, store(certificates_, id, std::move(view)));
}

void Views::put(ServiceView view) {
    const std::string id = view.name;
    tell(Kind::service, id, store(services_, id, std::move(view)));
}

void Views::put(AuthorityView view) {
    const std::string id = view.id;
    tell(Kind::authority, id, store(authorities_, id, std::move(view)));
}

void Views::put(UploadView view) {
    const std::string id = view.id;
    tell(Kind::upload, id, store(uploads_, id, std::move(view)));
}

void Views::put(JobView view) {
    const std::string id = view.id;
    tell(Kind::job, id, store(jobs_, id, std::move(view)));
}

void Views::put(AlarmView view) {
    const std::string id = view.id;
    tell(Kind::alarm, id, store(alarms_, id, std::move(view)));
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
    if (removed > 0) tell(kind, id, Change::removed);
}

void Views::tell(Kind kind, const std::string& id, std::optional<Change> change) const {
    if (change && listener_) listener_(kind, id, *change);
}

}  // namespace certmgr::engine
