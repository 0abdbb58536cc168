// Backup and restore, as the bus asks for them.
#include "certmgr/engine/engine.h"
#include "certmgr/store/restoration.h"

namespace certmgr::engine {
namespace {

// A service that has been brought others may finish what it began with keys of the state before.
constexpr std::chrono::minutes replacedKeysKept{10};

}  // namespace

std::string Engine::backup(BackupCommand command) {
    auto result = std::make_shared<std::string>();
    auto held = std::make_shared<BackupCommand>(std::move(command));
    const std::string job = jobs_.begin("backup", "");
    whenStarted([this, job, held, result] {
        lanes_.run(
            "backup:" + job, uploadWorkers_,
            [this, held, result](const std::stop_token& stop) { *result = backups_.write(*held, stop); },
            [this, job, result](const auto& failure) {
                failure ? jobs_.failed(job, *failure) : jobs_.done(job, *result);
            });
    });
    return job;
}

std::string Engine::restore(RestoreCommand command) {
    auto result = std::make_shared<std::string>();
    auto held = std::make_shared<RestoreCommand>(std::move(command));
    const std::string job = jobs_.begin("restore", "");
    whenStarted([this, job, held, result] {
        lanes_.run(
            "restore:" + job, uploadWorkers_,
            [this, held, result](const std::stop_token& stop) { *result = backups_.restore(*held, stop); },
            [this, job, held, result](const auto& failure) {
                if (failure) return jobs_.failed(job, *failure);
                jobs_.done(job, *result);
                restartWanted_ = restartWanted_ || !held->dryRun;
            });
    });
    return job;
}

void Engine::scheduleReplacedKeys() {
    schedule_.set("replaced-keys", parts_.clock.now() + replacedKeysKept);
}

void Engine::runReplacedKeys() {
    if (stopping_) return;
    auto stillNeeded = std::make_shared<bool>(false);
    lanes_.run(
        "replaced-keys", issueWorkers_,
        [this, stillNeeded](std::stop_token) {
            *stillNeeded = !keys_.replaced().empty() && !deployments_.allArrived(profiles_);
            if (!*stillNeeded) keys_.discardReplaced();
        },
        [this, stillNeeded](const auto& failure) {
            if (failure) report(event_id::jobFailed, "keys of the state before a restore", *failure);
            if (failure || *stillNeeded) scheduleReplacedKeys();
        });
}

}  // namespace certmgr::engine
