#include "certmgr/engine/engine.h"

#include <algorithm>
#include <utility>

namespace certmgr::engine {
namespace {

// Among the orders, which nobody waits for at the start: it asks servers elsewhere.
constexpr const char* challengesLane = "order: challenges";

constexpr std::size_t issueThreads = 4;
// Each service has a thread for its turn, which may wait for another module's on the same daemon.
constexpr std::size_t mostDeployThreads = 32;
constexpr std::size_t uploadThreads = 2;
constexpr std::size_t renewalThreads = 4;
constexpr std::size_t errandThreads = 2;
constexpr std::size_t preflightThreads = 2;

// How often the time is written down, so that a clock that jumped back is noticed after a restart.
constexpr std::chrono::hours timeNoted{24};
constexpr std::chrono::hours challengesLook{25};

// "issue:gw.example" -> {"issue", "gw.example"}
std::pair<std::string, std::string> splitLane(const std::string& lane) {
    const std::size_t colon = lane.find(':');
    return {lane.substr(0, colon), colon == std::string::npos ? "" : lane.substr(colon + 1)};
}

AcmeSettings acmeSettingsOf(const config::Settings& settings) {
    return {settings.cas,
            settings.trialCas,
            settings.systemTrustFile,
            {settings.preflight.value_or(settings.publicNamesOnly), settings.publicNamesOnly,
             settings.resolver, settings.publicAddresses}};
}

}  // namespace

Engine::Engine(Parts parts, config::Settings settings, std::vector<ServiceProfile> profiles)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      profiles_(std::move(profiles)),
      specs_(config::mergeSpecs(profiles_)),
      records_(parts_.database),
      keys_(parts_.keys, records_, parts_.log),
      localCa_(keys_, records_, settings_.authority, parts_.log),
      localIssuer_(keys_, records_, localCa_, parts_.clock),
      acmeCas_(keys_, records_, parts_.clock, parts_.http, acmeSettingsOf(settings_), parts_.log),
      acmeIssuer_(keys_, records_, parts_.clock, acmeCas_, parts_.solvers, parts_.log),
      persistProofs_(records_, parts_.clock, acmeCas_, parts_.persistLookup),
      acmeRevocations_(keys_, records_, acmeCas_, acmeIssuer_, parts_.clock, parts_.log,
                       [this](const CertificateId& id) { return servicesOf(id); }),
      uploads_(keys_, records_, parts_.clock, parts_.log),
      deployments_(records_, keys_, parts_.deployer, parts_.generations, parts_.clock, parts_.log),
      registrar_(keys_, records_, localCa_, parts_.clock, parts_.log),
      trustFiles_(keys_, records_, parts_.clock, settings_.stateDirectory / "authority", parts_.log),
      ownTrust_(records_, parts_.deployer, settings_.stateDirectory / "authority/system-trust.pem",
                settings_.systemTrustFile),
      alarms_(records_, parts_.views, parts_.clock, parts_.log, parts_.alarmHook),
      backups_(keys_, records_, parts_.clock, settings_.stateDirectory, parts_.log),
      jobs_(parts_.views),
      lanes_(parts_.queue),
      issueWorkers_(issueThreads),
      uploadWorkers_(uploadThreads),
      deployWorkers_(std::clamp<std::size_t>(profiles_.size(), 1, mostDeployThreads)),
      orderWorkers_(static_cast<std::size_t>(settings_.workers)),
      renewalWorkers_(renewalThreads),
      errandWorkers_(errandThreads),
      preflightWorkers_(preflightThreads),
      alarmWorkers_(1) {
    for (const ServiceProfile& profile : profiles_) {
        reloads_[{profile.handle.unit, profile.handle.reloadCommand}];
        for (const CertificateSpec& spec : profile.certificates)
            servicesByCertificate_[spec.id].push_back(profile.name);
    }
}

Engine::~Engine() = default;

void Engine::start() {
    for (const ServiceProfile& service : profiles_) parts_.views.put(serviceView(records_, service));
    alarms_.load();
    runStart();
}

void Engine::runStart() {
    auto found = std::make_shared<Found>();
    lanes_.run(
        "start", issueWorkers_,
        [this, found, alone = !started_](std::stop_token) {
            found->revocations = acmeRevocations_.alarmFacts();
            found->certificates = reconcile(alone);
        },
        [this, found](const auto& failure) { concludeStart(*found, failure); });
}

// What could not be put in order is tried again; the certificates that are known are cared for meanwhile.
void Engine::concludeStart(const Found& found, const std::optional<Error>& failure) {
    if (failure) {
        report(event_id::jobFailed, "clearing up at the start", *failure);
        schedule_.set("start", parts_.clock.now() + retryDelay);
    }
    started_ = true;
    if (found.revocations) revocationsDue_ = found.revocations;
    runAuthority();
    runUploads();
    for (const CertificateId& id : found.certificates) runIssue(id);
    proveServices();
    for (const auto& command : std::exchange(beforeStart_, {})) command();
    runDropped();
    runChallenges();
    runRevocations();
    schedule_.set("time", parts_.clock.now() + timeNoted);
    scheduleReplacedKeys();
    lookAtAlarmsSoon();
}

void Engine::whenStarted(std::function<void()> command) {
    if (started_) return command();
    beforeStart_.push_back(std::move(command));
}

// `alone`: nothing else runs yet, so that a key without an owner is nobody's and not one just intended.
std::vector<CertificateId> Engine::reconcile(bool alone) {
    std::set<CertificateId> fromProfiles;
    std::vector<CertificateId> kept;
    if (alone) deployments_.clearAwayOthers(profiles_);
    records_.database.transaction([&] {
        for (const CertificateSpec& spec : specs_) {
            records_.certificates.put(spec, true);
            fromProfiles.insert(spec.id);
        }
        for (const store::CertificateRow& row : records_.certificates.list()) {
            if (row.fromProfile && !fromProfiles.contains(row.spec.id))
                records_.certificates.droppedByProfiles(row.spec.id);
            if (alone && !fromProfiles.contains(row.spec.id) && goesWithItsProfile(row))
                records_.certificates.remove(row.spec.id);
            else
                kept.push_back(row.spec.id);
        }
    });
    if (alone) backups_.clearAway();
    if (alone) keys_.sweep();
    setUsersOfKeys();
    return kept;
}

// What a CA or an administrator gave stays to its end: the profile may come back. An upload stays even then,
// among the uploads.
bool Engine::goesWithItsProfile(const store::CertificateRow& row) {
    if (!row.profileOnly || !parts_.clock.trust().trusted) return false;
    const auto current = records_.credentials.current(row.spec.id);
    if (current && current->source != Source::local && parts_.clock.now() < current->leaf.notAfter)
        return false;
    parts_.log.write({Severity::notice,
                      event_id::certificateDropped,
                      row.spec.id + ": no profile asks for it any more; the certificate is deleted",
                      {{"CERTMGR_CERTIFICATE", row.spec.id}}});
    return true;
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

void Engine::runDropped() {
    if (stopping_) return;
    lanes_.run(
        "dropped", deployWorkers_, [this](std::stop_token) { takeAwayDropped(); },
        [this](const auto& failure) {
            if (!failure) return;
            report(event_id::deploymentFailed, "what was laid for a service that is gone", *failure);
            schedule_.set("dropped", parts_.clock.now() + retryDelay);
        });
}

// Key files, which only root may remove.
void Engine::takeAwayDropped() {
    if (!std::filesystem::exists(settings_.installDirectory)) return;
    for (const auto& laid : std::filesystem::directory_iterator(settings_.installDirectory)) {
        ServiceProfile dropped;
        dropped.name = laid.path().filename();
        const bool wanted = std::ranges::any_of(profiles_, [&](const ServiceProfile& profile) {
            return profile.name == dropped.name && profile.installation;
        });
        if (wanted || dropped.name.starts_with('.')) continue;
        dropped.handle.installUnit = installUnitOf(dropped.name);
        parts_.deployer.reload(dropped);
        parts_.log.write({Severity::notice,
                          event_id::certificateDropped,
                          dropped.name + ": no profile lays files for it any more; what was laid is removed",
                          {{"CERTMGR_SERVICE", dropped.name}}});
    }
}

// What an order, or a run before this one, could not take away.
void Engine::runChallenges() {
    if (stopping_) return;
    auto left = std::make_shared<int>(0);
    lanes_.run(
        challengesLane, errandWorkers_, [this, left](std::stop_token) { *left = clearChallengesAway(); },
        [this, left](const auto& failure) {
            // It may last for days, and is tried each minute.
            const std::string why = failure ? failure->what() : "";
            if (failure && why != challengesLeft_)
                report(event_id::jobFailed, "clearing away challenges", *failure);
            challengesLeft_ = why;
            // Also where nothing is left: what an order leaves that nobody goes on with is its own for a day.
            schedule_.set("challenges",
                          parts_.clock.now() + (failure || *left > 0 ? retryDelay : challengesLook));
        });
}

// On a worker. One solver that cannot shall not keep the others from it.
int Engine::clearChallengesAway() {
    int left = 0;
    std::optional<Error> trouble;
    for (acme::Solver& solver : parts_.allSolvers) {
        try {
            left += solver.clearAway();
        } catch (const Error& error) {
            trouble = error;
        }
    }
    if (trouble) throw *trouble;
    return left;
}

void Engine::stop() {
    stopping_ = true;
    systemTrustReading_.stop();
    budgetReading_.stop();
    lanes_.cancelAll();
    for (acme::Solver& solver : parts_.allSolvers) solver.stop();
}

void Engine::runDue() {
    const TimePoint now = parts_.clock.now();
    for (const std::string& lane : schedule_.take(now)) {
        const auto [kind, subject] = splitLane(lane);
        if (kind == "issue") runIssue(subject);
        if (kind == "renewal") runRenewal(subject);
        if (kind == "persist") runPersist(subject);
        if (kind == "deploy") runDeploy(subject);
        if (kind == "authority") runAuthority();
        if (kind == "trust") runTrust();
        if (kind == "reload") runReload(subject);
        if (kind == "own-trust") runOwnTrust();
        if (kind == "uploads") runUploads();
        if (kind == "start") runStart();
        if (kind == "dropped") runDropped();
        if (kind == "challenges") runChallenges();
        if (kind == "revocations") runRevocations();
        if (kind == "time") noteTime();
        if (kind == "replaced-keys") runReplacedKeys();
        if (kind == "alarms") runAlarms();
        if (kind == "alarm-hook") runAlarmHook();
        if (kind == "metrics") runMetrics();
    }
}

void Engine::noteTime() {
    const TimePoint now = parts_.clock.now();
    lanes_.run(
        "time", issueWorkers_,
        [this, now](std::stop_token) {
            if (!parts_.clock.trust().trusted) return;
            records_.meta.set(lastTimeSeen, std::to_string(now.time_since_epoch().count()));
        },
        [this](const auto& failure) {
            if (failure) report(event_id::jobFailed, "noting the time", *failure);
        });
    schedule_.set("time", now + timeNoted);
}

void Engine::report(std::string_view event, const std::string& what, const Error& failure) const {
    parts_.log.write({failure.kind() == ErrorKind::internal ? Severity::error : Severity::warning,
                      event,
                      what + ": " + failure.what(),
                      {{"CERTMGR_CODE", failure.code()}}});
}

void Engine::review() {
    forgetDueAlarms();
    runAuthority();
    for (const auto& [id, view] : parts_.views.certificates()) runIssue(id);
    runRevocations();
    proveServices();
}

// One whose certificates are being looked at is brought all of them at once.
void Engine::proveServices() {
    for (const ServiceProfile& service : profiles_) {
        proveAgain_.insert(service.name);
        stale_.insert(service.name);
        deployIfAllIsIssued(service);
    }
}

std::vector<std::string> Engine::servicesOf(const CertificateId& id) const {
    const auto found = servicesByCertificate_.find(id);
    return found == servicesByCertificate_.end() ? std::vector<std::string>{} : found->second;
}

Usage Engine::usageOf(const CertificateId& id) const {
    const auto found = std::ranges::lower_bound(specs_, id, {}, &CertificateSpec::id);
    return found != specs_.end() && found->id == id ? found->usage : Usage::server;
}

std::mutex& Engine::reloadOf(const ServiceProfile& service) {
    return reloads_.at({service.handle.unit, service.handle.reloadCommand});
}

void Engine::runDeploy(const std::string& service) {
    if (stopping_) return;
    const auto profile = std::ranges::find(profiles_, service, &ServiceProfile::name);
    if (profile == profiles_.end()) return;
    // Stays asked for until a turn that did it has concluded, whoever asks for less meanwhile.
    const bool again = proveAgain_.contains(service);
    auto brought = std::make_shared<Brought>();
    lanes_.run(
        "deploy:" + service, deployWorkers_,
        [this, profile, again, brought](std::stop_token stop) {
            *brought = deployTurn(*profile, again, stop);
        },
        [this, service, again, brought](const auto& failure) {
            if (again) proveAgain_.erase(service);
            concludeDeploy(service, *brought, failure);
        });
}

Engine::Brought Engine::deployTurn(const ServiceProfile& service, bool proveAgain,
                                   const std::stop_token& stop) {
    Brought brought;
    {
        const std::lock_guard lock(reloadOf(service));
        brought.result = deployments_.bring(service, proveAgain, stop);
    }
    brought.service = serviceView(records_, service);
    if (!brought.result.touched.empty()) brought.authorities = authorityViews(records_, parts_.clock.now());
    return brought;
}

void Engine::concludeDeploy(const std::string& service, const Brought& brought,
                            const std::optional<Error>& failure) {
    if (failure && !stopping_) report(event_id::deploymentFailed, service, *failure);
    schedule_.set("deploy:" + service,
                  failure ? std::optional(parts_.clock.now() + retryDelay) : brought.result.tryAgain);
    if (brought.service) parts_.views.put(*brought.service);
    for (const AuthorityView& view : brought.authorities) parts_.views.put(view);
    for (const CertificateId& id : brought.result.touched) {
        const auto known = parts_.views.certificates().find(id);
        if (known == parts_.views.certificates().end()) continue;
        CertificateView view = known->second;
        view.proof = worstProof(view, parts_.views.services());
        parts_.views.put(std::move(view));
    }
    lookAtAlarmsSoon();
    if (!brought.result.touched.empty()) uploadsChanged();
    if (acmeRevocations_.due()) runRevocations();
    settleJobs();
}

}  // namespace certmgr::engine
