// What the bus asks for with uploads, and what it is shown of them.
#include "certmgr/engine/engine.h"
#include "certmgr/engine/view_builder.h"

namespace certmgr::engine {
namespace {

std::string resultOf(const Uploads::Taken& taken, bool dryRun) {
    std::string serves;
    for (const CertificateId& id : taken.covered) serves += (serves.empty() ? "serves " : ", ") + id;
    if (serves.empty()) serves = "no certificate of this box has its names";
    if (dryRun) return "all checks passed; " + serves;
    return (taken.known ? "it was there already; " : "kept; ") + serves;
}

}  // namespace

std::string Engine::upload(UploadCommand command) {
    struct Upload {
        UploadCommand command;
        Uploads::Taken taken;
        std::vector<UploadView> shown;
    };
    auto upload = std::make_shared<Upload>();
    const bool dryRun = command.dryRun;
    upload->command = std::move(command);
    const std::string job = jobs_.begin("upload", "");
    whenStarted([this, job, upload, dryRun] {
        lanes_.run(
            "upload:" + job, uploadWorkers_,
            [this, upload](std::stop_token stop) {
                upload->taken = uploads_.take(std::move(upload->command), stop);
                upload->shown = uploadViews(records_);
            },
            [this, job, upload, dryRun](const auto& failure) {
                if (failure) return jobs_.failed(job, *failure);
                showUploads(std::move(upload->shown));
                concludeUpload(job, upload->taken, dryRun);
            });
    });
    return job;
}

void Engine::concludeUpload(const std::string& job, const Uploads::Taken& taken, bool dryRun) {
    if (dryRun || taken.covered.empty()) return jobs_.done(job, resultOf(taken, dryRun));
    const std::set<CertificateId> covered(taken.covered.begin(), taken.covered.end());
    followed_[job] = {"upload", covered};
    for (const CertificateId& id : covered) runIssue(id);
}

std::string Engine::removeUpload(const std::string& id) {
    if (!parts_.views.uploads().contains(id)) reject("upload-not-found", "there is no upload " + id);
    auto shown = std::make_shared<std::vector<UploadView>>();
    const std::string job = jobs_.begin("delete", "");
    lanes_.run(
        "delete:" + job, uploadWorkers_,
        [this, id, shown](std::stop_token) {
            uploads_.remove(std::stoll(id));
            *shown = uploadViews(records_);
        },
        [this, job, id, shown](const auto& failure) {
            if (failure) return jobs_.failed(job, *failure);
            showUploads(std::move(*shown));
            jobs_.done(job, "the upload " + id + " is deleted");
        });
    return job;
}

void Engine::runUploads() {
    if (stopping_) return;
    auto shown = std::make_shared<std::vector<UploadView>>();
    lanes_.run(
        "uploads", issueWorkers_, [this, shown](std::stop_token) { *shown = uploadViews(records_); },
        [this, shown](const auto& failure) {
            if (failure) return report(event_id::jobFailed, "showing the uploads", *failure);
            showUploads(std::move(*shown));
        });
}

void Engine::showUploads(std::vector<UploadView> shown) {
    std::set<std::string> gone;
    for (const auto& [id, view] : parts_.views.uploads()) gone.insert(id);
    for (UploadView& view : shown) {
        gone.erase(view.id);
        parts_.views.put(std::move(view));
    }
    for (const std::string& id : gone) parts_.views.remove(Views::Kind::upload, id);
}

// Looked at once for all the certificates that one upload, or one root, changes at the same time.
void Engine::uploadsChanged() {
    if (!parts_.views.uploads().empty()) schedule_.set("uploads", parts_.clock.now());
}

}  // namespace certmgr::engine
