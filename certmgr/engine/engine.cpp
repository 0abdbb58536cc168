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
            showUploads();
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
        for (const auto& [id, generation] : records_.credentials.currentGenerations())
            if (const auto row = records_.certificates.find(id); row && row->fromProfile)
                keys_.grant(records_.credentials.find(generation)->key, row->spec.users);
    } catch (const Error& error) {
        parts_.log.write({Severity::warning,
                          event_id::jobFailed,
                          std::string("clearing up at the start: ") + error.what(),
                          {}});
    }
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
        if (kind == "uploads") showUploads();
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

void Engine::runAuthority() {
    if (stopping_) return;
    auto due = std::make_shared<TimePoint>(parts_.clock.now() + retryDelay);
    lanes_.run(
        "authority", issueWorkers_,
        [this, due](std::stop_token) {
            try {
                localCa_.ensure(parts_.clock.now());
                *due = localCa_.dueAt();
            } catch (const Error& error) {
                parts_.log.write({Severity::error,
                                  event_id::issueFailed,
                                  std::string("the box's own CA: ") + error.what(),
                                  {}});
            }
        },
        [this, due] {
            schedule_.set("authority", *due);
            for (AuthorityView& view : authorityViews(records_)) parts_.views.put(std::move(view));
            // Leaves of an issuing CA that was replaced are signed anew; for all others the decision is
            // "none".
            for (const auto& [id, view] : parts_.views.certificates())
                if (view.state == toString(Source::local)) runIssue(id);
        });
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
        [this, profile, proveAgain, result](std::stop_token) {
            try {
                const std::lock_guard lock(reloadOf(*profile));
                *result = deployments_.bring(*profile, proveAgain);
            } catch (const Error& error) {
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
    if (!result.touched.empty()) uploadsChanged();
    settleJobs();
}

}  // namespace certmgr::engine
