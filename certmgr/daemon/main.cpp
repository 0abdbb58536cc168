// certmgrd: the composition root. The one place that names concrete classes.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>
#include <malloc.h>

#include "certmgr/acme/solvers/dns_persist_solver.h"
#include "certmgr/acme/solvers/dns_solver.h"
#include "certmgr/acme/solvers/tls_alpn_solver.h"
#include "certmgr/acme/solvers/webroot_solver.h"
#include "certmgr/bus/service.h"
#include "certmgr/config/settings.h"
#include "certmgr/core/system_clock.h"
#include "certmgr/daemon/alarm_program.h"
#include "certmgr/daemon/journal_log.h"
#include "certmgr/daemon/main_loop.h"
#include "certmgr/daemon/probe_by_kind.h"
#include "certmgr/daemon/service_control.h"
#include "certmgr/engine/engine.h"
#include "certmgr/net/curl_http_client.h"
#include "certmgr/store/restoration.h"
#include "hal/client/keyd_client.h"
#include "hal/systemd/command.h"
#include "hal/systemd/command_port_opener.h"
#include "hal/systemd/no_port_opener.h"
#include "hal/systemd/systemd_port_opener.h"

namespace {

using namespace certmgr;

// The latest time that the run before believed.
TimePoint lastTimeSeen(store::Database& database) {
    const auto stored = store::MetaRepository(database).get(engine::lastTimeSeen);
    return stored ? TimePoint(seconds(std::stoll(*stored))) : TimePoint();
}

bus::Bus systemBus() {
    sd_bus* connection = nullptr;
    daemon::checked(::sd_bus_open_system(&connection), "no connection to the system bus");
    return bus::Bus(connection);
}

using Solvers = std::vector<std::reference_wrapper<acme::Solver>>;

Solvers inOrder(const std::vector<ChallengeKind>& kinds, const Solvers& all) {
    Solvers wanted;
    for (const ChallengeKind kind : kinds)
        std::ranges::copy_if(all, std::back_inserter(wanted),
                             [&](const acme::Solver& solver) { return solver.kind() == kind; });
    return wanted;
}

std::unique_ptr<hal::PortOpener> portOpener(const config::PortSettings& settings) {
    if (settings.opener == config::PortOpening::none) return std::make_unique<hal::NoPortOpener>();
    if (settings.command.empty()) return std::make_unique<hal::SystemdPortOpener>();
    return std::make_unique<hal::CommandPortOpener>(settings.command);
}

// All kinds, those not in use too; their parts stand in the order of their making.
struct ChallengeSolvers {
    ChallengeSolvers(const config::Settings& settings, const Clock& clock)
        : packetFilter(portOpener(settings.ports)),
          httpPort(*packetFilter, settings.httpPort()),
          tlsPort(*packetFilter, settings.tlsPort()),
          zones(std::make_shared<acme::DnsZones>(settings.dns, hal::runCommand)),
          persistLookup({settings.dns, settings.resolver}, clock),
          webroot(settings.challengeDirectory, settings.challengePort,
                  ifUsed(settings, ChallengeKind::http01, httpPort)),
          tls(settings.tlsChallengeDirectory, settings.tlsChallengePort,
              ifUsed(settings, ChallengeKind::tlsAlpn01, tlsPort)),
          dns(ChallengeKind::dns01, zones, settings.resolver, settings.stateDirectory / "dns-records"),
          dnsAccount(ChallengeKind::dnsAccount01, zones, settings.resolver,
                     settings.stateDirectory / "dns-account-records"),
          dnsPersist(persistLookup) {}

    Solvers all() { return {webroot, tls, dns, dnsAccount, dnsPersist}; }

    // The port of a kind that is not in use is not ours to close.
    static acme::SharedPort* ifUsed(const config::Settings& settings, ChallengeKind kind,
                                    acme::SharedPort& port) {
        const bool used = std::ranges::find(settings.challenges, kind) != settings.challenges.end();
        return used ? &port : nullptr;
    }

    const std::unique_ptr<hal::PortOpener> packetFilter;
    acme::SharedPort httpPort;
    acme::SharedPort tlsPort;
    const std::shared_ptr<acme::DnsZones> zones;
    const acme::DnsPersistLookup persistLookup;
    acme::WebrootSolver webroot;
    acme::TlsAlpnSolver tls;
    acme::DnsSolver dns;
    acme::DnsSolver dnsAccount;
    acme::DnsPersistSolver dnsPersist;
};

std::unique_ptr<net::HttpClient> httpClient(const acme::CaSettings& ca) {
    net::HttpLimits limits;
    limits.totalTimeout = ca.answerLimit;
    limits.connectTimeout = std::min(limits.connectTimeout, limits.totalTimeout);
    return std::make_unique<net::CurlHttpClient>(ca.trustFile, limits);
}

struct Configuration {
    config::Settings settings;
    std::vector<ServiceProfile> profiles;
};

// What is there now, whole. Throws what is wrong with it: file, line, what was expected.
Configuration load(const std::string& file) {
    config::Settings settings = config::loadSettings(file);
    std::vector<ServiceProfile> profiles = config::loadProfiles(settings);
    config::mergeSpecs(profiles);
    return {std::move(settings), std::move(profiles)};
}

// Absent: it is to begin anew, with what `reload` has taken over.
std::optional<int> serve(const Configuration& configuration, const std::function<void()>& reload) {
    const auto& [settings, profiles] = configuration;
    daemon::JournalLog log;
    store::adoptRestored(settings.stateDirectory);
    store::Database database(settings.stateDirectory / "certmgr.db");
    SystemClock clock(lastTimeSeen(database), settings.requireTimeSync);
    hal::KeydClient keys(settings.keydSocket, settings.providerModule);
    ChallengeSolvers solvers(settings, clock);
    const deploy::GenerationStore generations(settings.stateDirectory / "live");
    daemon::ServiceControlByProfile control;
    daemon::ProbeByKind probe;
    deploy::Deployer deployer(generations, control, probe);
    engine::MainQueue queue;
    engine::Views views;
    daemon::AlarmProgram alarmProgram(settings.alarms.program, settings.alarms.programLimit);
    engine::Engine engine(
        {database, keys, deployer, generations, inOrder(settings.challenges, solvers.all()), solvers.all(),
         httpClient, solvers.persistLookup, clock, log, queue, views, alarmProgram},
        settings, profiles);
    const bus::Bus connection = systemBus();
    bus::Service service(connection.get(), engine, views);
    service.acquireName();
    daemon::MainLoop loop(engine, queue, clock, log, reload);
    loop.attach(*connection);
    engine.start();
    return loop.run();
}

int run(const std::string& file) {
    ::mallopt(M_ARENA_MAX, 1);  // threads that mostly wait: another arena would only cost memory
    daemon::blockSignals();
    std::optional<Configuration> checked;  // by a reload; after a restore the files are read anew
    for (;;) {
        const Configuration configuration = checked ? *std::exchange(checked, std::nullopt) : load(file);
        if (const auto status = serve(configuration, [&] { checked = load(file); })) return *status;
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Gives every service of the box a working certificate, and keeps it working.", "certmgrd");
    std::string file = "/etc/certmgr/certmgr.toml";
    app.add_option("--config", file, "settings; see certmgr.toml(5)")
        ->capture_default_str()
        ->check(CLI::ExistingFile);
    bool checkOnly = false;
    app.add_flag("--check", checkOnly, "only says what is wrong with the settings and profiles, if anything");
    app.set_version_flag("--version", std::string("certmgrd ") + CERTMGR_VERSION);
    CLI11_PARSE(app, argc, argv);

    try {
        if (checkOnly) {
            load(file);
            return 0;
        }
        return run(file);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "certmgrd: %s\n", error.what());
        return 1;
    }
}
