#include "certmgr/deploy/deployer.h"

#include "certmgr/deploy/deployment.h"

namespace certmgr::deploy {
namespace {

void throwIfStopped(const std::stop_token& stop) {
    if (stop.stop_requested())
        throw Error(ErrorKind::transient, "cancelled", "stopped before it was proved what is served");
}

}  // namespace

std::string_view toString(State state) noexcept {
    switch (state) {
        case State::proved:
            return "proved";
        case State::unproved:
            return "unproved";
        case State::rolledBack:
            return "rolled-back";
        case State::waiting:
            return "waiting";
        case State::failed:
            return "failed";
    }
    return "failed";
}

Deployer::Deployer(const GenerationStore& generations, hal::ServiceControl& control, Probe& probe)
    : generations_(generations), control_(control), probe_(probe) {}

std::vector<Outcome> Deployer::deploy(const ServiceProfile& service, const std::vector<Target>& targets,
                                      const std::stop_token& stop) {
    Deployment deployment(generations_, control_, probe_, service, targets, stop);
    deployment.lookBefore();
    throwIfStopped(stop);
    deployment.write();
    if (!deployment.settled()) {
        deployment.activate();
        const std::optional<Error> refusal = deployment.reload();
        deployment.prove(refusal);
        // Not to have looked long enough is no reason to go back; a refused reload is.
        if (!refusal) throwIfStopped(stop);
        deployment.goBack(refusal);
        throwIfStopped(stop);
    }
    return deployment.outcomes();
}

std::vector<Outcome> Deployer::check(const ServiceProfile& service, const std::vector<Target>& targets,
                                     const std::stop_token& stop) {
    Deployment deployment(generations_, control_, probe_, service, targets, stop);
    deployment.judge();
    throwIfStopped(stop);
    return deployment.outcomes();
}

}  // namespace certmgr::deploy
