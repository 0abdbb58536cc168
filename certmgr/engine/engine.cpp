#include "certmgr/engine/engine.h"

#include <algorithm>

#include "certmgr/engine/view_builder.h"

namespace certmgr::engine {
namespace {

constexpr std::size_t issueThreads = 4;
constexpr std::size_t deployThreads = 4;
constexpr std::size_t uploadThreads = 2;
constexpr seconds retryDelay{60};

// How often the time is written down, so that a clock that jumped back is noticed after a restart.
constexpr std::chrono::hours timeNoted{24};

// "issue:gw.example" -> {"issue", "gw.example"}
std::pair<std::string, std::string> splitLane(const std::string& lane) {
    const std::size_t colon = lane.find(':');
    return {lane.substr(0, colon), colon == std::string::npos ? "" : lane.substr(colon + 1)};
}

}  // namespace

Engine::Engine(Parts parts, config::Settings settings, std::vector<ServiceProfile> profiles)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      profiles_(std::move(profiles)),
      records_(parts_.database),
      keys_(parts_.keys, records_, parts_.log),
      localCa_(keys_, records_, settings_.authority, parts_.log),
      localIssuer_(keys_, records_, localCa_, parts_.clock),
      acmeIssuer_(keys_, records_, parts_.clock, parts_.solver, parts_.http, settings_.cas, parts_.log),
      uploads_(keys_, records_, parts_.clock, parts_.log),
      deployments_(records_, keys_, parts_.deployer, parts_.generations, parts_.clock, parts_.log),
      registrar_(keys_, records_, localCa_, parts_.clock, parts_.log),
      trustFiles_(keys_, records_, parts_.clock, settings_.stateDirectory / "authority"),
      jobs_(parts_.views),
      lanes_(parts_.queue),
      issueWorkers_(issueThreads),
      uploadWorkers_(uploadThreads),
      deployWorkers_(deployThreads),
      orderWorkers_(static_cast<std::size_t>(settings_.workers)) {
    for (const ServiceProfile& profile : profiles_) {
        reloads_[{profile.handle.unit, profile.handle.reloadCommand}];
        for (const CertificateSpec& spec : profile.certificates)
            servicesByCertificate_[spec.id].push_back(profile.name);
    }
}

Engine::~Engine() = default;

void Engine::start() {
    for (const ServiceProfile& service : profiles_) parts_.views.put(serviceView(records_, service));
    lanes_.run(
        "start", issueWorkers_, [this](std::stop_token) { reconcile(); },
        [this] {
            runAuthority();
            for (const store::CertificateRow& row : records_.certificates.list()) runIssue(row.spec.id);
            for (const ServiceProfile& service : profiles_) runDeploy(service.name, true);
            schedule_.set("time", parts_.clock.now() + timeNoted);
        });
}

void Engine::reconcile() {
    try {
        std::set<CertificateId> wanted;
        records_.database.transaction([&] {
            for (const CertificateSpec& spec : config::mergeSpecs(profiles_)) {
                records_.certificates.put(spec, true);
                wanted.insert(spec.id);
            }
            for (const store::CertificateRow& row : records_.certificates.list())
                if (row.fromProfile && !wanted.contains(row.spec.id))
                    records_.certificates.put(row.spec, false);
        });
        keys_.sweep();
        setUsersOfKeys();
    } catch (const Error& error) {
        parts_.log.write({Severity::warning,
                          event_id::jobFailed,
                          std::string("clearing up at the start: ") + error.what(),
                          {}});
    }
}

// The profiles may name other users than those that the keys were made for. An uploaded key may serve several
// certificates.
void Engine::setUsersOfKeys() {
    std::map<KeyId, std::set<std::string>> users;
    for (const auto& [id, generation] : records_.credentials.currentGenerations())
        if (const auto row = records_.certificates.find(id); row && row->fromProfile)
            users[records_.credentials.find(generation)->key].insert(row->spec.users.begin(),
                                                                     row->spec.users.end());
    for (const auto& [key, mayUse] : users) keys_.setUsers(key, mayUse);
}

void Engine::stop() {
    stopping_ = true;
    lanes_.cancelAll();
}

void Engine::runDue() {
    const TimePoint now = parts_.clock.now();
    for (const std::string& lane : schedule_.take(now)) {
        const auto [kind, subject] = splitLane(lane);
        if (kind == "issue") runIssue(subject);
        if (kind == "deploy") runDeploy(subject, false);
        if (kind == "authority") runAuthority();
        if (kind == "trust") runTrust();
        if (kind == "reload") runReload(subject);
        if (kind == "time") {
            lanes_.run(
                "time", issueWorkers_,
                [this, now](std::stop_token) {
                    if (!parts_.clock.trust().trusted) return;
                    records_.meta.set(lastTimeSeen, std::to_string(now.time_since_epoch().count()));
                },
                [] {});
            schedule_.set("time", now + timeNoted);
        }
    }
}

void Engine::review() {
    runAuthority();
    for (const auto& [id, view] : parts_.views.certificates()) runIssue(id);
    for (const ServiceProfile& service : profiles_) runDeploy(service.name, true);
}

std::vector<std::string> Engine::servicesOf(const CertificateId& id) const {
    const auto found = servicesByCertificate_.find(id);
    return found == servicesByCertificate_.end() ? std::vector<std::string>{} : found->second;
}

std::mutex& Engine::reloadOf(const ServiceProfile& service) {
    return reloads_.at({service.handle.unit, service.handle.reloadCommand});
}

void Engine::runDeploy(const std::string& service, bool proveAgain) {
    if (stopping_) return;
    const auto profile =
        std::find_if(profiles_.begin(), profiles_.end(),
                     [&](const ServiceProfile& candidate) { return candidate.name == service; });
    auto result = std::make_shared<Deployments::Result>();
    lanes_.run(
        "deploy:" + service, deployWorkers_,
        [this, profile, proveAgain, result](std::stop_token stop) {
            try {
                const std::lock_guard lock(reloadOf(*profile));
                *result = deployments_.bring(*profile, proveAgain, stop);
            } catch (const Error& error) {
                if (stop.stop_requested()) return;
                result->tryAgain = parts_.clock.now() + retryDelay;
                parts_.log.write({Severity::error,
                                  event_id::deploymentFailed,
                                  profile->name + ": " + error.what(),
                                  {{"CERTMGR_SERVICE", profile->name}}});
            }
        },
        [this, profile, result] { concludeDeploy(*profile, *result); });
}

void Engine::concludeDeploy(const ServiceProfile& service, const Deployments::Result& result) {
    schedule_.set("deploy:" + service.name, result.tryAgain);
    parts_.views.put(serviceView(records_, service));
    for (const CertificateId& id : result.touched) {
        const auto known = parts_.views.certificates().find(id);
        if (known == parts_.views.certificates().end()) continue;
        CertificateView view = known->second;
        view.proof = worstProof(records_, view);
        parts_.views.put(std::move(view));
    }
    if (!result.touched.empty()) showAuthorities();  // who is still served under which
    settleJobs();
}

}  // namespace certmgr::engine
