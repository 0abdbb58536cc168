#include "certmgr/engine/jobs.h"

namespace certmgr::engine {
namespace {
constexpr std::size_t keptAfterTheEnd = 100;
}

std::string Jobs::begin(const std::string& kind, const CertificateId& certificate) {
    JobView view;
    view.id = std::to_string(++last_);
    view.kind = kind;
    view.certificate = certificate;
    view.state = "running";
    views_.put(view);
    return view.id;
}

void Jobs::done(const std::string& id, const std::string& result) {
    JobView view = views_.jobs().at(id);
    view.state = "done";
    view.result = result;
    ended(std::move(view));
}

void Jobs::failed(const std::string& id, const Error& error) {
    JobView view = views_.jobs().at(id);
    view.state = "failed";
    view.errorKind = toString(error.kind());
    view.errorCode = error.code();
    view.error = error.what();
    ended(std::move(view));
}

void Jobs::ended(JobView view) {
    ended_.push_back(view.id);
    views_.put(std::move(view));
    if (ended_.size() <= keptAfterTheEnd) return;
    views_.remove(Views::Kind::job, ended_.front());
    ended_.pop_front();
}

}  // namespace certmgr::engine
