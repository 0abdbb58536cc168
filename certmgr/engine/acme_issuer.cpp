#include "certmgr/engine/acme_issuer.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "certmgr/acme/choice.h"
#include "certmgr/acme/preflight.h"
#include "certmgr/acme/renewal_info.h"
#include "certmgr/acme/response.h"
#include "certmgr/core/decision.h"
#include "certmgr/core/trial.h"
#include "certmgr/crypto/x509.h"
#include "certmgr/engine/issuance.h"
#include "certmgr/engine/jitter.h"
#include "certmgr/engine/stored_order.h"
#include "certmgr/engine/system_trust.h"

namespace certmgr::engine {
namespace {

constexpr int longestBackoffOfBlocked = 2;                    // failures: some ten minutes
constexpr seconds leftAlone = std::chrono::hours(24);         // a name that a CA has paused, at least
constexpr seconds longestWaitForOne = std::chrono::hours(1);  // where another CA could be asked
constexpr seconds longestOrder = std::chrono::hours(24 * 7);  // at Let's Encrypt; others end sooner

const AcmeProfile& profileAt(const acme::CaSettings& ca, const CertificateSpec& spec) {
    if (!spec.acmeProfile.name.empty()) return spec.acmeProfile;
    const bool address =
        std::ranges::find(spec.names, Identifier::Type::ip, &Identifier::type) != spec.names.end();
    return address && !ca.addressProfile.name.empty() ? ca.addressProfile : ca.profile;
}

std::string sentenceOf(const CaPause& pause, const std::string& ca) {
    if (pause.url.empty()) return ca + " asks to wait until " + formatTime(pause.until) + ": " + pause.reason;
    return pause.subject + " is paused by " + ca + " and left alone until " + formatTime(pause.until) + ": " +
           pause.reason + "; to end the pause visit " + pause.url + " and then reissue the certificate";
}

std::string wordsOf(const AcmeProfile& profile) {
    return profile.required ? profile.name + ", required" : profile.name;
}

bool placedAt(const store::OrderRow& order, const acme::CaSettings& ca) {
    return order.ca == ca.name && (order.directory.empty() || order.directory == ca.directory);
}

// Why an order that is not at its end is of no use any more; empty: it is.
std::string whyNotGoOn(const store::OrderRow& order, const acme::CaSettings& ca, const AcmeProfile& profile) {
    if (!placedAt(order, ca)) return "another CA is asked now: " + ca.name + ", " + ca.directory;
    if (order.profile != wordsOf(profile))
        return "another profile is wanted now: " + (profile.name.empty() ? "none" : wordsOf(profile));
    return "";
}

// It says nothing of the order: the CA has it wait, or was not reached, or nobody waits for it any more.
bool mustGoOn(const Error& error) {
    static constexpr std::array<std::string_view, 7> codes{
        "ca-too-slow", "http-unreachable", "http-timeout",  "http-tls",
        "answer-lost", "cancelled",        "http-cancelled"};
    return error.kind() == ErrorKind::rateLimited || std::ranges::find(codes, error.code()) != codes.end();
}

std::vector<crypto::X509Ptr> chainFrom(const std::string& ca, const std::string& pem) {
    try {
        return crypto::orderChain(crypto::parseChainPem(pem));
    } catch (const Error& error) {
        // The order stays, and the next attempt fetches the same certificate.
        throw Error(ErrorKind::transient, "certificate-unreadable",
                    ca + " sent a certificate that cannot be taken: " + error.what());
    }
}

// A trust store that cannot be read costs no certificate.
std::vector<TrustAnchor> anchorsIn(const std::filesystem::path& file) {
    try {
        return readSystemTrust(file, "", std::nullopt);
    } catch (const Error& unreadable) {
        return {};
    }
}

// CAs leave their root out of the chains.
std::string subjectOfAnchor(const std::filesystem::path& file, const std::string& sha256) {
    for (const TrustAnchor& anchor : anchorsIn(file))
        if (anchor.summary.sha256 == sha256) return anchor.summary.subject;
    return {};
}

bool isAnchor(const std::filesystem::path& file, const std::string& subject) {
    return std::ranges::any_of(anchorsIn(file),
                               [&](const TrustAnchor& anchor) { return anchor.summary.subject == subject; });
}

}  // namespace

AcmeIssuer::AcmeIssuer(KeyRing& keys, Records& records, const Clock& clock, AcmeCas& cas,
                       std::vector<std::reference_wrapper<acme::Solver>> solvers, EventLog& log)
    : keys_(keys),
      records_(records),
      clock_(clock),
      cas_(cas),
      settings_(cas.settings()),
      budget_(records, clock),
      solvers_(std::move(solvers)),
      log_(log) {}

std::vector<CaBudget> AcmeIssuer::budgets(const std::vector<Coming>& coming) {
    std::map<std::string, std::vector<PlannedOrder>> planned;
    for (const Coming& one : coming) {
        const acme::CaSettings& ca = caAfter(one.failures);
        if (ca.limits.empty() || one.when > budget_.forecastEnd(ca)) continue;
        planned[ca.name].push_back({one.when, budget_.orderFor(one.spec, ca, one.when)});
    }
    std::vector<CaBudget> budgets;
    for (const acme::CaSettings& ca : settings_.cas) budgets.push_back(budget_.show(ca, planned[ca.name]));
    for (const acme::CaSettings& ca : settings_.trialCas) budgets.push_back(budget_.show(ca, {}));
    return budgets;
}

bool AcmeIssuer::otherKeyWanted(const KeyId& id, const CertificateSpec& spec) const {
    const std::optional<hal::KeyInfo> key = keys_.store().find(id);
    return key && !isAsWanted(*key, spec);
}

store::OrderRow AcmeIssuer::intent(const CertificateSpec& spec, const acme::CaSettings& ca) {
    const AcmeProfile& profile = profileAt(ca, spec);
    if (const auto open = records_.orders.open(spec.id)) {
        std::string why = whyNotGoOn(*open, ca, profile);
        if (why.empty() && open->state == store::OrderState::intended && otherKeyWanted(open->key, spec))
            why = "another kind of key is wanted now";
        if (why.empty()) return *open;
        // Of one whose answer never came nobody knows whether the CA has it, and nobody looks for it any
        // more.
        records_.orders.setState(open->id,
                                 open->state == store::OrderState::sending ? store::OrderState::lost
                                                                           : store::OrderState::abandoned,
                                 why);
        discardGivenUp(spec.id);
    }
    records_.database.transaction([&] {
        store::OrderRow row{0, spec.id, ca.name, ca.directory, keys_.intend("order:" + spec.id)};
        row.intended = clock_.now();
        row.profile = wordsOf(profile);
        records_.orders.intend(row);
    });
    return records_.orders.open(spec.id).value();
}

Credential AcmeIssuer::checked(const CertificateSpec& spec, const store::OrderRow& order,
                               const std::optional<hal::KeyInfo>& key, const acme::Issued& issued) const {
    const std::vector<crypto::X509Ptr> chain = chainFrom(order.ca, issued.chainPem);
    const CertificateSummary leaf = crypto::summarize(*chain.front());
    if (!key || !crypto::keyMatches(*chain.front(), key->publicKey))
        throw Error(ErrorKind::rejected, "certificate-for-another-key",
                    order.ca + " sent a certificate for another key than the one in our request");
    if (!coversAll(leaf.names, spec.names))
        throw Error(ErrorKind::rejected, "certificate-for-other-names",
                    order.ca + " sent a certificate for " +
                        (leaf.names.empty() ? leaf.subject : leaf.names.front().value) +
                        ", which does not cover all names asked for");
    if (leaf.notBefore > clock_.now())
        // The order stays, and the next attempt fetches the same certificate.
        throw Error(ErrorKind::transient, "certificate-not-yet-valid",
                    order.ca + " sent a certificate that begins " + formatTime(leaf.notBefore) +
                        ", and the clock of the box says " + formatTime(clock_.now()) +
                        ": see that it is right");
    if (leaf.notAfter <= clock_.now() && clock_.trust().trusted)
        throw Error(ErrorKind::rejected, "certificate-expired",
                    order.ca + " sent a certificate that ended " + formatTime(leaf.notAfter));
    if (chain.size() == 1) requireIssuer(order, leaf, issued.chainPem);
    return {0,
            spec.id,
            Source::acme,
            order.key,
            crypto::toPem(chain),
            leaf,
            order.ca,
            key->algorithm,
            issued.profile,
            issued.profileReason,
            issued.chainReason};
}

// Clients verify a leaf that comes alone only where they have its issuer as a root.
void AcmeIssuer::requireIssuer(const store::OrderRow& order, const CertificateSummary& leaf,
                               const std::string& chainPem) const {
    const std::vector<std::string> sent = crypto::chainSha256(chainPem);
    const bool alone =
        std::ranges::all_of(sent, [&](const std::string& each) { return each == leaf.sha256; });
    if (!alone || isAnchor(settings_.trustFile, leaf.issuer)) return;
    for (const acme::CaSettings& ca : settings_.cas)
        if (placedAt(order, ca) && !ca.trustFile.empty() && isAnchor(ca.trustFile, leaf.issuer)) return;
    // The order stays, and the next attempt fetches the same certificate.
    throw Error(ErrorKind::transient, "certificate-alone",
                order.ca + " sent the certificate without that of its issuer, " + leaf.issuer +
                    ", which is no root in " + settings_.trustFile.string() + " either");
}

const acme::CaSettings& AcmeIssuer::caAfter(int failures) const {
    return settings_.cas.at(caInTurn(failures, settings_.cas.size()));
}

std::string AcmeIssuer::describeTurn(const CertificateSpec& spec, const Before& before) {
    const Turn turn = caToAsk(spec, before);
    if (!turn.passedOver.empty()) return turn.ca.name + "; " + turn.passedOver;
    const bool inTurn = turn.ca.name == caAfter(before.failures).name;
    if (settings_.cas.size() == 1 || before.failures == 0 || !inTurn) return turn.ca.name;
    const acme::CaSettings& last = caAfter(before.failures - 1);
    return turn.ca.name +
           (last.name == turn.ca.name ? " once more" : ", since the attempts at " + last.name + " failed");
}

AttemptRecord AcmeIssuer::afterFailure(int failures, const Error& error,
                                       std::optional<seconds> shortLivedRemaining, double jitter) const {
    const bool forLong = error.retryAt() && *error.retryAt() > clock_.now() + longestWaitForOne;
    const bool passedOver = forLong && settings_.cas.size() > 1;
    const int count = passedOver ? endOfTurn(failures) : failures + 1;
    // DNS can be mended any minute, and another look costs nothing at the CA.
    const bool blocked = error.code().starts_with(acme::preflightCode);
    return {count, nextAttempt(blocked ? std::min(count, longestBackoffOfBlocked) : count, clock_.now(),
                               shortLivedRemaining, jitter, passedOver ? std::nullopt : error.retryAt())};
}

std::string AcmeIssuer::whyNotProvable(const Identifier& name) const {
    std::vector<ChallengeKind> kinds;
    for (const acme::Solver& solver : solvers_) kinds.push_back(solver.kind());
    return certmgr::whyNotProvable(name, kinds);
}

std::vector<PreflightEntry> AcmeIssuer::lookAhead(const Identifier& name,
                                                  std::optional<ChallengeKind> provedBy,
                                                  std::chrono::milliseconds limit,
                                                  const std::stop_token& stop) {
    if (!configured()) return {};
    const acme::Solvers solvers{solvers_, 0, provedBy};
    const acme::CaSettings& first = settings_.cas.front();
    const acme::Asking asking{cas_.accountUrl(first), cas_.caaIdentities(first)};
    acme::Solver* const solver = acme::solverInTurn(name, solvers, asking);
    const std::string out = acme::whyKindsAreOut(name, solvers, asking);
    if (!solver)
        return {{name.value,
                 "",
                 {PreflightCheck::challenge, PreflightVerdict::blocked,
                  "no challenge that is set up can prove " + name.value + ": " +
                      (out.empty() ? "there is none" : out) + "; see challenges in [acme]"}}};
    std::vector<PreflightEntry> entries{
        {name.value,
         "",
         {PreflightCheck::challenge, PreflightVerdict::ok,
          "to be proved by " + std::string(toString(solver->kind())) + (out.empty() ? "" : ": " + out)}}};
    acme::Looking looking{*solver, {}, limit};
    for (const acme::CaSettings& ca : settings_.cas)
        looking.cas.push_back({cas_.caaIdentities(ca), false, solver->kind(), cas_.accountUrl(ca)});
    auto ca = settings_.cas.begin();
    for (PreflightFinding& finding : acme::lookAhead(name, looking, settings_.preflight, stop)) {
        const bool ofCa = finding.check == PreflightCheck::caa;
        entries.push_back({name.value, ofCa ? (ca++)->name : "", std::move(finding)});
    }
    return entries;
}

// An order that was sent already goes on, whatever the limits.
std::optional<Wait> AcmeIssuer::mustWait(const CertificateSpec& spec, const acme::CaSettings& ca) {
    if (!budget_.limited(ca)) return std::nullopt;
    const std::optional<store::OrderRow> open = records_.orders.open(spec.id);
    if (open && open->state != store::OrderState::intended &&
        whyNotGoOn(*open, ca, profileAt(ca, spec)).empty())
        return std::nullopt;
    return budget_.mustWait(spec.id, ca, budget_.orderFor(spec, ca));
}

// Where one had to be passed over, a restart must not lead back to it from the order at the next one.
const acme::CaSettings* AcmeIssuer::caOfOpenOrder(const CertificateSpec& spec, const Before& before) {
    const std::optional<store::OrderRow> open = records_.orders.open(spec.id);
    if (!open || open->state == store::OrderState::intended) return nullptr;
    if (before.lastAttempt && *before.lastAttempt >= open->intended) return nullptr;
    const auto ca = std::ranges::find_if(settings_.cas, [&](const auto& each) {
        return whyNotGoOn(*open, each, profileAt(each, spec)).empty();
    });
    return ca == settings_.cas.end() ? nullptr : &*ca;
}

AcmeIssuer::Turn AcmeIssuer::caToAsk(const CertificateSpec& spec, const Before& before) {
    if (const acme::CaSettings* const ca = caOfOpenOrder(spec, before)) return {*ca, std::nullopt, ""};
    const std::size_t cas = settings_.cas.size();
    const std::size_t first = caInTurn(before.failures, cas);
    std::optional<Wait> shortest;
    std::string passedOver;
    const acme::CaSettings* lastChance = nullptr;
    for (std::size_t next = 0; next < cas; ++next) {
        const acme::CaSettings& ca = settings_.cas[(first + next) % cas];
        std::optional<Wait> wait = mustWait(spec, ca);
        if (!wait) return {ca, std::nullopt, passedOver};
        if (passedOver.empty()) passedOver = wait->why;
        if (wait->unlessLastChance && !lastChance) lastChance = &ca;
        if (!shortest || wait->until < shortest->until) shortest = std::move(wait);
    }
    if (lastChance) return {*lastChance, std::nullopt, ""};
    return {settings_.cas.at(first), std::move(shortest), ""};
}

std::optional<Wait> AcmeIssuer::issue(const CertificateSpec& spec, const Before& before,
                                      const Activity& activity, std::stop_token stop) {
    const AcmeCas::InUse use = cas_.use();
    const acme::Solvers solvers{solvers_, acme::challengeFailed(before.errorCode) ? before.failures : 0,
                                before.provedBy};
    std::optional<Wait> wait;
    // Another order may get the last place that a CA has left: then the next CA has its turn.
    for (std::size_t turns = 0; turns <= settings_.cas.size(); ++turns) {
        const Turn turn = caToAsk(spec, before);
        if (turn.wait) return turn.wait;
        wait = tryFirst(spec, turn.ca, before, solvers, activity, stop);
        if (wait) return wait;
        wait = order(spec, turn.ca, activity,
                     [&](StoredOrder& journal) { run(spec, turn.ca, solvers, journal, stop); });
        if (!wait) break;
    }
    return wait;
}

std::optional<Wait> AcmeIssuer::order(const CertificateSpec& spec, const acme::CaSettings& ca,
                                      const Activity& activity,
                                      const std::function<void(StoredOrder&)>& use) {
    StoredOrder journal(records_, keys_, log_, intent(spec, ca), {spec, ca, budget_, clock_}, activity);
    try {
        use(journal);
    } catch (Error& error) {
        if (journal.wait()) return journal.wait();
        giveUpIfOld(journal, error);
        learn(error, journal, spec, ca);
        if (!records_.orders.open(spec.id)) discardGivenUp(spec.id);  // the next order has a key of its own
        throw;
    }
    return std::nullopt;
}

// Whatever is wrong with it, the next attempt would meet it again, and no new order would ever be placed.
void AcmeIssuer::giveUpIfOld(StoredOrder& journal, const Error& error) {
    const std::optional<store::OrderRow> open = records_.orders.open(journal.row().certificate);
    if (!open || open->state != store::OrderState::created || mustGoOn(error)) return;
    if (!clock_.trust().trusted || clock_.now() - open->intended <= longestOrder) return;
    journal.orderAbandoned(std::string("a week after it was placed it is not at its end: ") + error.what());
}

// What the CA has said of an order holds for others too: of one that it did not take, and of any where it is
// overloaded.
void AcmeIssuer::learn(Error& error, const StoredOrder& journal, const CertificateSpec& spec,
                       const acme::CaSettings& ca) {
    const TimePoint now = clock_.now();
    const std::string url = acme::unpauseUrl(error);
    if (error.kind() != ErrorKind::rateLimited && url.empty()) return;
    TimePoint until = now;
    if (error.retryAt()) until += *error.retryAt() - acme::wallTime();
    if (!url.empty()) until = std::max(until, now + leftAlone);
    if (until <= now) return;
    error.retryAt(until);
    const bool overloaded = error.code() == acme::overloadedCode;
    if (!overloaded && !journal.row().url.empty()) return;
    std::string words = error.what();
    if (words.starts_with(ca.name + ": ")) words.erase(0, ca.name.size() + 2);
    budget_.refusedUntil(ca, spec, {"", until, std::move(words), url}, overloaded);
}

std::string AcmeIssuer::describePauses(const CertificateSpec& spec) {
    std::string text;
    for (const auto* const cas : {&settings_.cas, &settings_.trialCas})
        for (const acme::CaSettings& ca : *cas)
            for (const CaPause& pause : budget_.pauses(ca, spec))
                text += (text.empty() ? "" : "; ") + sentenceOf(pause, ca.name);
    return text;
}

void AcmeIssuer::liftPauses(const CertificateSpec& spec) {
    for (const auto* const cas : {&settings_.cas, &settings_.trialCas})
        for (const acme::CaSettings& ca : *cas) budget_.lift(ca, spec);
}

// The attempt before stays on record until this one has ended, so that a crash leads here again. A trial
// spares the CA itself a refusal, which is not worth a long wait, and none at all in an emergency.
std::optional<Wait> AcmeIssuer::tryFirst(const CertificateSpec& spec, const acme::CaSettings& ca,
                                         const Before& before, const acme::Solvers& solvers,
                                         const Activity& activity, const std::stop_token& stop) {
    const std::optional<store::OrderRow> open = records_.orders.open(spec.id);
    const TrialDecision decision =
        decideTrial({ca.name, ca.staging, before.errorCode, open && placedAt(*open, ca)});
    if (!decision.trial) return std::nullopt;
    const auto trial =
        std::ranges::find_if(settings_.trialCas, [&](const auto& each) { return each.name == ca.staging; });
    if (trial == settings_.trialCas.end()) return std::nullopt;
    const TimePoint latest = clock_.now() + longestWaitForOne;
    const auto unlessTooLong = [&](std::optional<Wait> wait) {
        const bool tooLong = wait && (wait->until > latest || budget_.orderFor(spec, *trial).emergency);
        return tooLong ? std::nullopt : wait;
    };
    if (auto wait = mustWait(spec, *trial)) return unlessTooLong(std::move(wait));
    activity(spec.id, decision.reason);
    try {
        return unlessTooLong(order(spec, *trial, activity, [&](StoredOrder& journal) {
            tryOut(spec, *trial, solvers, journal, stop);
        }));
    } catch (Error& error) {
        if (error.kind() == ErrorKind::rateLimited && error.retryAt() > latest) return std::nullopt;
        error.within("the trial at " + trial->name + "; " + ca.name + " was not asked");
        throw;
    }
}

// Nobody trusts the certificate, so nobody gets it, and its key goes too.
void AcmeIssuer::tryOut(const CertificateSpec& spec, const acme::CaSettings& ca, const acme::Solvers& solvers,
                        StoredOrder& journal, const std::stop_token& stop) {
    const std::shared_ptr<acme::Session> session = cas_.sessionTo(ca, stop);
    const hal::KeyInfo key = keys_.obtain(
        {journal.row().key, spec.keyAlgorithm, hal::KeyPolicy::file, {}, spec.id + " at " + ca.name});
    const hal::Pkey handle = keys_.store().open(key.id);
    acme::issue(*session,
                {spec.names, crypto::buildCsr(*handle, key.publicKey, spec.names), "", profileAt(ca, spec)},
                solvers, journal, stop);
    records_.orders.setState(journal.row().id, store::OrderState::finished, "");
    keys_.discard(journal.row().key);
}

// What the order is to replace, as its CA knows it; empty: nothing of that CA.
std::string AcmeIssuer::predecessor(const CertificateSpec& spec, const acme::CaSettings& ca) {
    const std::optional<Credential> current = records_.credentials.current(spec.id);
    if (!current || current->source != Source::acme || current->issuerId != ca.name) return "";
    return crypto::renewalIdOf(current->chainPem).value_or("");
}

RenewalInfo AcmeIssuer::renewalInfo(const Credential& current, const std::optional<RenewalInfo>& known,
                                    const std::stop_token& stop) {
    const AcmeCas::InUse use = cas_.use();
    RenewalInfo info = known.value_or(RenewalInfo{});
    info.nextQuery = nextQuery(clock_.now(), std::nullopt);
    const auto ca =
        std::ranges::find_if(settings_.cas, [&](const auto& each) { return each.name == current.issuerId; });
    const auto id = crypto::renewalIdOf(current.chainPem);
    if (ca == settings_.cas.end() || !id) return info;
    if (const std::optional<CaPause> pause = budget_.pauseOfAll(*ca)) {
        info.nextQuery = nextQuery(clock_.now(), pause->until - clock_.now());
        return info;
    }
    try {
        const bool wasSilent = known && !known->window;
        const auto answer = acme::renewalInfo(*cas_.sessionTo(*ca, stop), *id, wasSilent, stop);
        info.failures = 0;
        if (!answer) {
            info.nextQuery = nextQueryOfSilentCa(clock_.now());
            return info;
        }
        if (info.window != answer->window) info.renewAt = chooseIn(answer->window, jitter());
        info.window = answer->window;
        info.explanationUrl = answer->explanationUrl;
        info.nextQuery = nextQuery(clock_.now(), answer->retryAfter);
    } catch (const Error& error) {
        if (stop.stop_requested()) throw;
        // A name that does not resolve and a refused connection do not pass by themselves.
        const bool temporary = error.kind() == ErrorKind::rateLimited ||
                               (error.kind() == ErrorKind::transient && error.code() != "http-unreachable");
        info.failures = temporary ? info.failures + 1 : 0;
        if (temporary) info.nextQuery = nextQueryAfterFailure(info.failures, clock_.now());
        if (error.retryAt()) info.nextQuery = nextQuery(clock_.now(), *error.retryAt() - clock_.now());
    }
    return info;
}

ChainWish AcmeIssuer::chainWish(const CertificateSpec& spec, const acme::CaSettings& ca) const {
    ChainWish wish{spec.preferredChain.empty() ? ca.preferredChain : spec.preferredChain, "",
                   trustedTime(clock_)};
    if (isFingerprint(wish.preferred))
        wish.rootSubject = subjectOfAnchor(settings_.trustFile, wish.preferred);
    return wish;
}

// Once, and not with each certificate.
void AcmeIssuer::tellOfProfile(const AcmeProfile& wanted, const acme::CaSettings& ca,
                               const std::string& reason) {
    if (wanted.name.empty()) return;
    const std::string name = "acme-profile-missing:" + ca.name + " " + ca.directory + " " + wanted.name;
    const std::string told = records_.meta.get(name).value_or("");
    if (told == reason) return;
    records_.meta.set(name, reason);
    if (reason.empty()) return;
    log_.write({Severity::warning,
                event_id::profileMissing,
                ca.name + ": " + reason,
                {{"CERTMGR_CA", ca.name}, {"CERTMGR_PROFILE", wanted.name}}});
}

void AcmeIssuer::run(const CertificateSpec& spec, const acme::CaSettings& ca, const acme::Solvers& solvers,
                     StoredOrder& journal, std::stop_token stop) {
    const std::shared_ptr<acme::Session> session = cas_.sessionTo(ca, stop);
    journal.activity("making the key");
    const hal::KeyInfo key =
        keys_.findOrMake({journal.row().key, spec.keyAlgorithm, spec.keyPolicy, {spec.users, {}}, spec.id});
    journal.keyMade(key);
    const hal::Pkey handle = keys_.store().open(key.id);
    const acme::Issued issued =
        acme::issue(*session,
                    {spec.names, crypto::buildCsr(*handle, key.publicKey, spec.names), predecessor(spec, ca),
                     profileAt(ca, spec), [&] { return chainWish(spec, ca); }, settings_.preflight},
                    solvers, journal, stop);
    tellOfProfile(profileAt(ca, spec), ca, issued.profileReason);
    try {
        const TimePoint now = clock_.now();
        // An order may have brought its own: StoredOrder::takeKeyOf().
        const std::optional<hal::KeyInfo> its =
            journal.row().key == key.id ? key : keys_.store().find(journal.row().key);
        const Credential credential = checked(spec, journal.row(), its, issued);
        const std::optional<Credential> current = records_.credentials.current(spec.id);
        const bool replaces = current && succeeds(credential, *current, now);
        const bool inForce = adopt(records_, credential, now, replaces ? current->generation : 0, [&] {
            records_.orders.setState(journal.row().id, store::OrderState::finished, "");
            records_.certificates.attemptSucceeded(spec.id, now);
            records_.certificates.askReissue(spec.id, false);
        });
        // A failure, so that the next order waits for its time: else there would be one after the other.
        if (!inForce)
            throw Error(ErrorKind::internal, "certificate-not-better",
                        "the certificate that " + journal.row().ca +
                            " sent is no better than the one in force, which stays");
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::rejected) journal.orderAbandoned(error.what());
        throw;
    }
    discardGivenUp(spec.id);
}

// All but that of an order which may be gone back to: KeyRepository::unreferenced(). That one, and what is
// left else, is destroyed here when another order has ended, or at the next start.
void AcmeIssuer::discardGivenUp(const CertificateId& id) {
    try {
        for (const KeyId& key : records_.orders.keysGivenUp(id)) keys_.discard(key);
    } catch (const Error& error) {
        log_.write({Severity::warning,
                    event_id::jobFailed,
                    "the keys of orders of " + id + " that were given up: " + error.what(),
                    {{"CERTMGR_CERTIFICATE", id}, {"CERTMGR_CODE", error.code()}}});
    }
}

}  // namespace certmgr::engine
