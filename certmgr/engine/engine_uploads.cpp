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
    struct Result {
        UploadCommand command;
        std::optional<Uploads::Taken> taken;
        std::optional<Error> error;
    };
    auto result = std::make_shared<Result>();
    const bool dryRun = command.dryRun;
    result->command = std::move(command);
    const std::string job = jobs_.begin("upload", "");
    lanes_.run(
        "upload:" + job, uploadWorkers_,
        [this, result](std::stop_token) {
            try {
                result->taken = uploads_.take(std::move(result->command));
            } catch (const Error& error) {
                result->error = error;
            }
        },
        [this, job, result, dryRun] {
            if (result->error) return jobs_.failed(job, *result->error);
            showUploads();
            if (dryRun || result->taken->covered.empty())
                return jobs_.done(job, resultOf(*result->taken, dryRun));
            const std::set<CertificateId> covered(result->taken->covered.begin(),
                                                  result->taken->covered.end());
            followed_[job] = {"upload", covered, 0};
            for (const CertificateId& id : covered) runIssue(id);
        });
    return job;
}

std::string Engine::removeUpload(const std::string& id) {
    const auto known = parts_.views.uploads().find(id);
    if (known == parts_.views.uploads().end())
        throw Error(ErrorKind::rejected, "upload-not-found", "there is no upload " + id);
    auto error = std::make_shared<std::optional<Error>>();
    const std::string job = jobs_.begin("delete", "");
    lanes_.run(
        "delete:" + job, uploadWorkers_,
        [this, id, error](std::stop_token) {
            try {
                uploads_.remove(std::stoll(id));
            } catch (const Error& found) {
                *error = found;
            }
        },
        [this, job, id, error] {
            showUploads();
            *error ? jobs_.failed(job, **error) : jobs_.done(job, "the upload " + id + " is deleted");
        });
    return job;
}

void Engine::showUploads() {
    std::set<std::string> gone;
    for (const auto& [id, view] : parts_.views.uploads()) gone.insert(id);
    for (UploadView& view : uploadViews(records_)) {
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
