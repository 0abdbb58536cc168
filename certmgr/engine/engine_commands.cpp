// What the bus asks for, and the jobs that it is followed by.
#include <algorithm>

#include "certmgr/engine/engine.h"

namespace certmgr::engine {
namespace {

template <class Value>
Value parsed(const std::string& text, Value otherwise,
             std::optional<Value> (*parse)(std::string_view) noexcept, const std::string& what,
             const std::string& expected) {
    if (text.empty()) return otherwise;
    if (const auto value = parse(text)) return *value;
    reject("bad-" + what, "unknown key " + what + " \"" + text + "\": expected " + expected);
}

}  // namespace

std::string Engine::request(const RequestCommand& command) {
    CertificateSpec spec;
    spec.names = parseIdentifiers(command.names);
    spec.id = certificateIdFor(spec.names);
    spec.keyAlgorithm = parsed(command.keyAlgorithm, settings_.keyAlgorithm, hal::makeableAlgorithmFrom,
                               "algorithm", "ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096");
    spec.keyPolicy = parsed(command.keyPolicy, settings_.keyPolicy, hal::keyPolicyFrom, "policy",
                            "tpm, sealed, file or prefer-tpm");
    spec.acme = command.acme;
    spec.acmeProfile = command.acmeProfile;
    const std::string& profile = spec.acmeProfile.name;
    if (profile.empty() && spec.acmeProfile.required)
        reject("bad-profile", "a profile is required, and none is named");
    if (!profile.empty() && !isAcmeProfileName(profile))
        reject("bad-profile",
               "\"" + profile + "\" is no name of a profile: expected 1 to 64 visible characters");
    if (removing_.contains(spec.id)) reject("busy", spec.id + " is being deleted; try again in a moment");
    if (!servicesOf(spec.id).empty())
        reject("certificate-exists", spec.id + " is asked for by the profile of " +
                                         servicesOf(spec.id).front() + ", which decides how it is made");
    const std::string job = jobs_.begin("request", spec.id);
    whenStarted([this, job, spec] {
        lanes_.run(
            "request:" + job, issueWorkers_,
            [this, spec](std::stop_token) { records_.certificates.put(spec, false); },
            [this, job, id = spec.id](const auto& failure) {
                if (failure) return jobs_.failed(job, *failure);
                followed_[job] = {"request", {id}};
                runIssue(id);
            });
    });
    return job;
}

std::string Engine::reissue(const CertificateId& id) {
    const auto known = parts_.views.certificates().find(id);
    if (known == parts_.views.certificates().end()) reject("not-found", "there is no certificate " + id);
    if (removing_.contains(id)) reject("busy", id + " is being deleted");
    const std::string job = jobs_.begin("reissue", id);
    lanes_.run(
        "reissue:" + job, issueWorkers_,
        [this, id](std::stop_token) {
            records_.database.transaction([&] {
                records_.certificates.askReissue(id, true);
                records_.certificates.retryNow(id);
                records_.certificates.setProvedBy(id, std::nullopt);
                if (const auto row = records_.certificates.find(id)) acmeIssuer_.liftPauses(row->spec);
            });
        },
        [this, job, id, before = known->second.generation](const auto& failure) {
            if (failure) return jobs_.failed(job, *failure);
            followed_[job] = {"reissue", {id}, before};
            runIssue(id);
        });
    return job;
}

std::string Engine::remove(const CertificateId& id) {
    if (!parts_.views.certificates().contains(id)) reject("not-found", "there is no certificate " + id);
    if (const auto services = servicesOf(id); !services.empty())
        reject("in-use", id + " is asked for by the profile of " + services.front() +
                             "; take it out of /etc/certmgr/services.d/" + services.front() + ".toml first");
    const std::string job = jobs_.begin("delete", id);
    removing_.insert(id);
    followed_[job] = {"delete", {id}};
    lanes_.cancel("order:" + id);
    runIssue(id);
    return job;
}

std::string Engine::check(const std::string& service) {
    const auto profile = std::ranges::find(profiles_, service, &ServiceProfile::name);
    if (profile == profiles_.end()) reject("not-found", "there is no service " + service);
    auto checked = std::make_shared<Deployments::Checked>();
    const std::string job = jobs_.begin("check", "");
    lanes_.run(
        "check:" + job, deployWorkers_,
        [this, profile, checked](std::stop_token stop) { *checked = deployments_.check(*profile, stop); },
        [this, job, checked](const auto& failure) {
            if (failure) return jobs_.failed(job, *failure);
            if (checked->good) return jobs_.done(job, checked->lines);
            jobs_.failed(job, Error(ErrorKind::transient, "not-proved", checked->lines));
        });
    return job;
}

std::string Engine::chainPem(const CertificateId& id) {
    const auto current = records_.credentials.current(id);
    return current ? current->chainPem : "";
}

bool Engine::working(const CertificateId& id, bool ordersToo) const {
    if (lanes_.busy("issue:" + id) || (ordersToo && lanes_.busy("order:" + id))) return true;
    const auto services = servicesOf(id);
    return std::any_of(services.begin(), services.end(),
                       [&](const std::string& service) { return lanes_.busy("deploy:" + service); });
}

void Engine::settleJobs() {
    for (auto job = followed_.begin(); job != followed_.end();) {
        const Followed& followed = job->second;
        const bool waits = std::any_of(
            followed.certificates.begin(), followed.certificates.end(), [&](const CertificateId& id) {
                return working(id, followed.kind == "reissue" || followed.kind == "revoke") ||
                       (followed.kind == "revoke" && lanes_.busy(revocationsLane)) ||
                       (followed.kind == "delete" && removing_.contains(id));
            });
        if (waits) {
            ++job;
            continue;
        }
        settleJob(job->first, followed);
        job = followed_.erase(job);
    }
}

void Engine::settleJob(const std::string& job, const Followed& followed) {
    if (followed.kind == kindOfAuthorityChange) return jobs_.done(job, summaryOfAuthorityChange(followed));
    std::string result;
    for (const CertificateId& id : followed.certificates) {
        const auto known = parts_.views.certificates().find(id);
        if (followed.kind == "delete")
            return followed.failure ? jobs_.failed(job, *followed.failure)
                                    : jobs_.done(job, id + " is deleted");
        if (known == parts_.views.certificates().end())
            return jobs_.failed(job, Error(ErrorKind::rejected, "not-found", id + " was deleted meanwhile"));
        const CertificateView& view = known->second;
        if (followed.kind == "revoke") {
            if (view.revocation.str().starts_with("done")) return jobs_.done(job, view.revocation);
            return jobs_.failed(job, Error(ErrorKind::transient, "revocation-due",
                                           view.revocation.str() +
                                               (view.lastError.empty() ? "" : "; " + view.lastError.str())));
        }
        if (view.generation == 0 ||
            (followed.kind == "reissue" && view.generation == followed.generationBefore))
            return jobs_.failed(job,
                                Error(ErrorKind::transient, "not-issued",
                                      view.lastError.empty() ? "nothing new was issued: " + view.reason.str()
                                                             : view.lastError.str()));
        result +=
            (result.empty() ? "" : "\n") + id + ": " + view.state.str() + " certificate, " + view.proof.str();
    }
    jobs_.done(job, result);
}

std::string Engine::summaryOfAuthorityChange(const Followed& followed) const {
    std::string late;
    for (const auto& [id, authority] : parts_.views.authorities())
        for (const std::string& dependent : authority.dependents) late += "\n" + id + ": " + dependent;
    return followed.issuingAuthority + " signs now; " + std::to_string(followed.certificates.size()) +
           " local certificates were signed anew" +
           (late.empty() ? "" : "; still in use under authorities before it:" + late);
}

}  // namespace certmgr::engine
