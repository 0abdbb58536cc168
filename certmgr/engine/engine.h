// The issuance line: what is due is decided, done, deployed and proved, for every certificate of the box.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "certmgr/acme/issue.h"
#include "certmgr/config/settings.h"
#include "certmgr/engine/acme_revocations.h"
#include "certmgr/engine/alarms.h"
#include "certmgr/engine/backups.h"
#include "certmgr/engine/commands.h"
#include "certmgr/engine/deployments.h"
#include "certmgr/engine/issuance.h"
#include "certmgr/engine/jobs.h"
#include "certmgr/engine/lanes.h"
#include "certmgr/engine/own_trust.h"
#include "certmgr/engine/persist_proofs.h"
#include "certmgr/engine/registrar.h"
#include "certmgr/engine/schedule.h"
#include "certmgr/engine/shared_reading.h"
#include "certmgr/engine/trust_files.h"
#include "certmgr/engine/uploads.h"
#include "certmgr/engine/view_builder.h"

namespace certmgr::engine {

// What the composition root brings; everything outlives the engine.
struct Parts {
    store::Database& database;
    hal::KeyStore& keys;
    deploy::Deployer& deployer;
    const deploy::GenerationStore& generations;
    std::vector<std::reference_wrapper<acme::Solver>> solvers;  // in order of preference
    // Those not in use too: one may have left something behind before it was taken out of the settings.
    std::vector<std::reference_wrapper<acme::Solver>> allSolvers;
    AcmeCas::HttpFactory http;
    const acme::PersistLookup& persistLookup;
    const Clock& clock;
    EventLog& log;
    MainQueue& queue;
    Views& views;
    AlarmHook& alarmHook;
};

// Where the engine writes down, every day, the time that it believes: for SystemClock after a restart.
inline constexpr const char* lastTimeSeen = "last-time-seen";

// Lives on the main thread: all its methods are called there, and none blocks. What blocks runs on workers,
// apart by lanes: "issue:ID" decides and does what takes milliseconds, "order:ID" runs the ACME order,
// "renewal:ID" asks the CA when that is due again, "persist:ID" looks at the records that proved it,
// "deploy:SERVICE" deploys and proves. So a local certificate never waits for a CA, and a slow service never
// holds up another.
class Engine : public Commands, public AuthorityCommands, public BackupCommands, public AcmeCommands {
  public:
    // Throws Error(misconfigured) where two profiles want one certificate differently.
    Engine(Parts parts, config::Settings settings, std::vector<ServiceProfile> profiles);
    ~Engine() override;

    // Brings database, key store, disk and services together after whatever happened before, then begins to
    // work.
    void start();
    // Orders in flight are left as they are on record; returns when no worker runs any more.
    void stop();

    // For the timer of the main loop: when runDue() has work. Re-read after every event.
    std::optional<TimePoint> nextDue() const { return schedule_.next(); }
    void runDue();
    // Everything is looked at again: after a jump of the clock.
    void review();
    bool idle() const { return lanes_.idle(); }
    // Whether all there is to do without a CA is done. For the first time: every service finds a certificate
    // at its start.
    bool served() const { return lanes_.onlyBusyWith({"order:", "renewal:", "persist:"}); }

    // A restored state waits to be adopted: the daemon has to begin anew.
    bool restartWanted() const { return restartWanted_; }

    const Views& views() const override { return parts_.views; }
    std::string request(const RequestCommand& command) override;
    std::string upload(UploadCommand command) override;
    std::string reissue(const CertificateId& id) override;
    std::string remove(const CertificateId& id) override;
    std::string removeUpload(const std::string& id) override;
    std::string check(const std::string& service) override;
    std::string chainPem(const CertificateId& id) override;
    AuthorityCommands& authority() override { return *this; }
    BackupCommands& backups() override { return *this; }
    AcmeCommands& acme() override { return *this; }

    std::string backup(BackupCommand command) override;
    std::string restore(RestoreCommand command) override;

    std::vector<AcmeAccount> accounts() override;
    void budget(BudgetReply reply) override;
    std::string changeAccountKey(const std::string& ca) override;
    std::string deactivateAccount(const std::string& ca) override;
    void preflight(const std::vector<std::string>& names, PreflightReply reply) override;
    void persistRecords(const PersistRecordCommand& command, PersistRecordsReply reply) override;
    std::string revokeAtCa(const CertificateId& id, const CaRevocationCommand& command) override;

    std::string signRequest(const EndEntityCommand& holder, hal::UniqueFd request,
                            hal::UniqueFd output) override;
    std::string issueBundle(const BundleCommand& command, hal::UniqueFd passphrase,
                            hal::UniqueFd output) override;
    std::string revoke(const std::string& serial, const std::string& reason) override;
    std::vector<IssuedCertificate> issued(std::int64_t after) override;
    std::string generateAuthority(const std::string& subject, std::uint32_t days) override;
    std::string importAuthority(hal::UniqueFd content) override;
    std::string requestAuthority(hal::UniqueFd output) override;
    std::string installAuthority(hal::UniqueFd chain) override;
    std::string reissueAuthority() override;
    std::string trustPem() override;
    std::string crlPem() override;
    void systemTrust(SystemTrustReply reply) override;
    std::string trustOwnRoots(bool trusted) override;

  private:
    // What one turn in an issue lane found; made on the worker, read on the main thread.
    struct Turn {
        bool wanted = true;                   // false: there is no such certificate any more
        std::optional<CertificateView> view;  // absent: the database could not be read
        Decision decision;
        std::int64_t follows = 0;  // the generation in force that was judged; 0: none
        std::optional<TimePoint> renewalQueryDue;
        std::optional<TimePoint> persistLookDue;
        std::optional<Error> error;
    };
    static constexpr const char* kindOfAuthorityChange = "authority";
    // Among the orders, which nobody waits for at the start: it asks servers elsewhere.
    static constexpr const char* revocationsLane = "order: revocations";
    static constexpr seconds retryDelay{60};  // of what failed on the box's own side

    // What the start found, likewise.
    struct Found {
        std::vector<CertificateId> certificates;  // that are wanted
        std::optional<std::vector<RevocationAlarmFacts>> revocations;
    };
    // What a turn in a deploy lane found, likewise.
    struct Brought {
        Deployments::Result result;
        std::optional<ServiceView> service;
        std::vector<AuthorityView> authorities;  // where something was deployed: what is served under which
    };
    // What a change of the box's own CA led to, likewise.
    struct AuthorityState {
        std::string issuing;  // the id of the CA that signs
        TimePoint due;
        std::vector<AuthorityView> views;
    };
    // A job that waits until nothing runs for its certificates.
    struct Followed {
        std::string kind;
        std::set<CertificateId> certificates;
        std::int64_t generationBefore = 0;
        std::string issuingAuthority;  // of a change of the authority: the one that signs from then on
        std::optional<Error> failure;  // known before the end
    };

    // Either side: settings and profiles do not change.
    std::vector<std::string> servicesOf(const CertificateId& id) const;
    Usage usageOf(const CertificateId& id) const;
    CertificateView viewOf(const store::CertificateRow& row, const Decision& decision);
    std::string whyNoCa(const CertificateSpec& spec) const;
    std::string whyNoAcme(const CertificateSpec& spec) const;
    // Of one that has the name, where there is one.
    store::CertificateRow certificateWith(const Identifier& name);
    std::string whyNotAsked(const Identifier& name, const CertificateSpec& spec);
    KeyPlace placeOfTpmKey(const CertificateId& id) const;

    // Workers' side.
    std::vector<CertificateId> reconcile(bool alone);
    bool goesWithItsProfile(const store::CertificateRow& row);
    void setUsersOfKeys();
    void takeAwayDropped();
    Turn issueTurn(const CertificateId& id);
    void settleIssue(const CertificateId& id, std::optional<store::CertificateRow>& row, Turn& turn);
    Decision decideFor(const store::CertificateRow& row, std::optional<Credential> current);
    void recordSuccess(const CertificateId& id);
    void takeAwayRetired(const CertificateId& id);
    // `follows`: of the turn that decided it.
    void orderTurn(const CertificateId& id, std::int64_t follows, std::stop_token stop);
    std::optional<TimePoint> renewalQueryDue(const CertificateSpec& spec);
    void renewalTurn(const CertificateId& id, const std::stop_token& stop);
    std::optional<TimePoint> persistLookDue(const CertificateSpec& spec);
    void recordWait(const CertificateId& id, const Wait& wait);
    void recordFailure(const store::CertificateRow& row, const Error& error);
    std::optional<TimePoint> nextOrder(const store::CertificateRow& row);
    std::vector<AcmeIssuer::Coming> comingOrders();
    void removeTurn(const CertificateId& id);
    std::vector<PreflightEntry> preflightTurn(const std::vector<Identifier>& names,
                                              const std::stop_token& stop);
    template <class Answer>
    void lookFor(std::function<void(Answer&, const std::stop_token&)> look,
                 std::function<void(const Answer&)> reply);
    AuthorityState authorityState();
    void tellOfTrust(const ServiceProfile& service, const std::string& sha256);
    Brought deployTurn(const ServiceProfile& service, bool proveAgain, const std::stop_token& stop);

    // Main thread's side.
    void runStart();
    void concludeStart(const Found& found, const std::optional<Error>& failure);
    void runDropped();
    void runChallenges();
    int clearChallengesAway();
    void runRevocations();
    void concludeRevocations(const AcmeRevocations::Round& round, const std::optional<Error>& failure);
    void whenStarted(std::function<void()> command);
    void noteTime();
    void report(std::string_view event, const std::string& what, const Error& failure) const;
    void runIssue(const CertificateId& id);
    void runOrder(const CertificateId& id, std::int64_t follows);
    void runRenewal(const CertificateId& id);
    void runPersist(const CertificateId& id);
    void concludeUnrecorded(const CertificateId& id, const Error& failure);
    void runDeploy(const std::string& service);
    void proveServices();
    void runAuthority();
    void runTrust();
    void runReload(const std::string& service);
    void runOwnTrust();
    std::string accountJob(const std::string& kind, std::function<std::string(const std::stop_token&)> work);
    std::string authorityJob(const std::string& kind, std::function<std::string(const std::stop_token&)> work,
                             std::function<void(const std::string& job, const std::string& result)> after);
    std::string changeAuthority(const std::string& kind, std::function<void(const std::stop_token&)> change);
    void concludeAuthority(const AuthorityState& state);
    std::mutex& reloadOf(const ServiceProfile& service);
    void concludeIssue(const CertificateId& id, const Turn& turn);
    void concludeDeploy(const std::string& service, const Brought& brought,
                        const std::optional<Error>& failure);
    void concludeUpload(const std::string& job, const Uploads::Taken& taken, bool dryRun);
    void runUploads();
    void showUploads(std::vector<UploadView> shown);
    void uploadsChanged();
    void concludeRemove(const CertificateId& id, const std::optional<Error>& failure);
    void showActivity(const CertificateId& id, const std::string& sentence);
    void markStale(const CertificateView& view);
    void deployWhereAllIsIssued(const CertificateId& id);
    void deployIfAllIsIssued(const ServiceProfile& service);
    std::string summaryOfAuthorityChange(const Followed& followed) const;
    void lookAtAlarmsSoon();
    void lookAtAlarms(TimePoint time);
    void forgetDueAlarms();
    void runAlarms();
    void runAlarmHook();
    void scheduleReplacedKeys();
    void runReplacedKeys();
    void runMetricsSoon();
    void runMetrics();
    void settleJobs();
    void settleJob(const std::string& job, const Followed& followed);
    bool working(const CertificateId& id, bool ordersToo) const;

    Parts parts_;
    const config::Settings settings_;
    const std::vector<ServiceProfile> profiles_;
    const std::vector<CertificateSpec> specs_;  // what they want together, sorted by id
    std::map<CertificateId, std::vector<std::string>> servicesByCertificate_;

    Records records_;
    KeyRing keys_;
    LocalCa localCa_;
    LocalIssuer localIssuer_;
    AcmeCas acmeCas_;
    AcmeIssuer acmeIssuer_;
    PersistProofs persistProofs_;
    AcmeRevocations acmeRevocations_;
    Uploads uploads_;
    Deployments deployments_;
    Registrar registrar_;
    TrustFiles trustFiles_;
    OwnTrust ownTrust_;
    Alarms alarms_;
    Backups backups_;

    bool restartWanted_ = false;
    bool started_ = false;
    std::vector<std::function<void()>> beforeStart_;  // commands that came too early
    Jobs jobs_;
    std::map<std::string, Followed> followed_;
    std::set<CertificateId> removing_;
    bool revocationsAgain_ = false;  // a round waits behind the one that runs
    // At CAs, as the last round left them; absent: not read yet.
    std::optional<std::vector<RevocationAlarmFacts>> revocationsDue_;
    // In a row; they are retried in seconds, so memory is enough.
    std::map<CertificateId, int> localFailures_;
    std::set<std::string> proveAgain_;  // services that were asked for it and have not concluded
    std::set<std::string> stale_;       // services with something new, while more is being issued for them
    // Anybody may ask.
    SharedReading<SystemTrust> systemTrustReading_{"system-trust", "the trust store of the box", 64};
    SharedReading<Budgets> budgetReading_{"budget", "the budget at the CAs", 16};
    std::string trustSha256_;  // of what was published last
    // One for each thing that is reloaded: two modules on one nginx must not see each other's half-done swap.
    // Filled by the constructor, by unit and command.
    std::map<std::pair<std::string, std::vector<std::string>>, std::mutex> reloads_;
    std::optional<TimePoint> alarmsDue_;  // the next look at the alarms
    std::size_t preflights_ = 0;          // that were begun
    std::size_t preflightsRunning_ = 0;
    bool complete_ = false;  // the start is over: the views show all there is
    bool metricsDue_ = false;
    std::string metrics_;  // as written last
    Schedule schedule_;
    bool stopping_ = false;
    std::string challengesLeft_;  // why some could not be taken away, as it was logged last

    Lanes lanes_;
    Workers issueWorkers_;
    Workers uploadWorkers_;  // of their own: a pipe that its writer never closes must not hold up the issuing
    Workers deployWorkers_;
    Workers orderWorkers_;
    // Of their own, since orders may hang for as long as a CA is waited for, and a thousand certificates ask
    // when to renew them of a CA that does not answer.
    Workers renewalWorkers_;
    Workers errandWorkers_;  // revocations, and challenges to be taken away
    // Of their own: DNS may take its time, and who waits at a terminal is not to wait for orders too.
    Workers preflightWorkers_;
    Workers alarmWorkers_;  // of their own: a mail server may take its time
};

}  // namespace certmgr::engine
