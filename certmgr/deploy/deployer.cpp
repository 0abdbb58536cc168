#include "certmgr/deploy/deployer.h"

#include "certmgr/deploy/deployment.h"

namespace certmgr::deploy {

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

std::vector<Outcome> Deployer::deploy(const ServiceProfile& service, const std::vector<Target>& targets) {
    Deployment deployment(generations_, control_, probe_, service, targets);
    deployment.lookBefore();
    deployment.write();
    if (!deployment.settled()) {
        deployment.activate();
        const std::optional<Error> refusal = deployment.reload();
        deployment.prove(refusal);
        deployment.goBack(refusal);
    }
    return deployment.outcomes();
}

std::vector<Outcome> Deployer::check(const ServiceProfile& service, const std::vector<Target>& targets) {
    Deployment deployment(generations_, control_, probe_, service, targets);
    deployment.lookBefore();
    deployment.judge();
    return deployment.outcomes();
}

}  // namespace certmgr::deploy
