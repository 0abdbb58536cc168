// The issue and order lanes: decide, act, say what came of it.
#include <algorithm>

#include "certmgr/acme/response.h"
#include "certmgr/engine/engine.h"
#include "certmgr/engine/jitter.h"
#include "certmgr/engine/suggested_renewal.h"

namespace certmgr::engine {
namespace {

// Local issue, then what follows from it: more rounds would mean that a decision does not take its own result
// in.
constexpr int mostRounds = 3;
constexpr seconds longestLocalRetry{60};

seconds localRetry(int failures) {
    return std::min(longestLocalRetry, seconds(std::int64_t{1} << std::min(failures, 6)));
}

AcmeIssuer::Before beforeOf(const store::CertificateRow& row) {
    return {row.acme.failures, row.lastErrorCode, row.lastAttempt, row.provedBy};
}

}  // namespace

std::string Engine::whyNoCa(const CertificateSpec& spec) const {
    if (spec.usage == Usage::inspectionCa) return "only the box's own root signs an inspection CA";
    if (!spec.acme) return "ACME is switched off for this certificate";
    if (!settings_.acmeEnabled) return "ACME is switched off";
    if (!acmeIssuer_.configured()) return "no ACME CA is configured";
    return "";
}

std::string Engine::whyNoAcme(const CertificateSpec& spec) const {
    if (std::string why = whyNoCa(spec); !why.empty()) return why;
    for (const Identifier& name : spec.names) {
        if (std::string why = acmeIssuer_.whyNotProvable(name); !why.empty()) return why;
        if (!settings_.publicNamesOnly) continue;
        if (std::string why = whyNotPublic(name); !why.empty()) return why;
    }
    return "";
}

KeyPlace Engine::placeOfTpmKey(const CertificateId& id) const {
    const std::vector<std::string> services = servicesOf(id);
    const auto fromFile = std::ranges::count_if(profiles_, [&](const ServiceProfile& profile) {
        return profile.keyForm == KeyForm::file &&
               std::ranges::find(services, profile.name) != services.end();
    });
    if (fromFile == 0) return KeyPlace::good;
    return static_cast<std::size_t>(fromFile) == services.size() ? KeyPlace::wrongForAll
                                                                 : KeyPlace::wrongForSome;
}

Decision Engine::decideFor(const store::CertificateRow& row, std::optional<Credential> current) {
    const TimePoint now = parts_.clock.now();
    const bool server = row.spec.usage == Usage::server;
    CertificateFacts facts;
    facts.spec = row.spec;
    if (server) {
        uploads_.offer(row.spec);
        UploadChoice upload = uploads_.best(row.spec, now);
        facts.uploaded = std::move(upload.credential);
        facts.uploadedReason = std::move(upload.reason);
    }
    facts.current = std::move(current);
    if (facts.current) {
        const auto key = parts_.keys.find(facts.current->key);
        facts.currentKeyLost = !key;
        if (key && key->backend == hal::KeyBackend::tpm) facts.currentKeyPlace = placeOfTpmKey(row.spec.id);
    }
    facts.acmeImpossible = row.wanted() ? whyNoAcme(row.spec) : "no profile asks for it any more";
    facts.acme = {row.acme.failures, row.nextAttempt(now)};
    if (facts.current) facts.renewAt = suggestedRenewal(records_, *facts.current);
    facts.issuingAuthority = server ? localCa_.issuingId() : localCa_.rootId();
    facts.reissue = row.reissueAsked;
    if (facts.current) facts.revocation = records_.acmeRevocations.dueFor(facts.current->key);
    facts.clockTrusted = parts_.clock.trust().trusted;
    Decision decision = decide(facts, now);
    if (decision.action != Action::orderAcme) return decision;
    facts.orderFrom = acmeIssuer_.describeTurn(row.spec, beforeOf(row));
    return decide(facts, now);
}

// A key that is a file because a service needs it so says which service.
CertificateView Engine::viewOf(const store::CertificateRow& row, const Decision& decision) {
    const std::vector<std::string> services = servicesOf(row.spec.id);
    CertificateView view = certificateView(records_, row, decision, services);
    view.pause = acmeIssuer_.describePauses(row.spec);
    if (!whyNoAcme(row.spec).empty() || view.state == toString(Source::uploaded)) view.failures = 0;
    if (persistLookDue(row.spec)) describePersistRecord(records_, view);
    for (const ServiceProfile& profile : profiles_)
        if (profile.keyForm == KeyForm::file && view.keyBackend == toString(hal::KeyBackend::file) &&
            std::ranges::find(services, profile.name) != services.end())
            view.keyReason =
                profile.name + " cannot work with a reference to a key: it reads the key from a file";
    return view;
}

Engine::Turn Engine::issueTurn(const CertificateId& id) {
    Turn turn;
    std::optional<store::CertificateRow> row;
    try {
        settleIssue(id, row, turn);
        if (row) turn.renewalQueryDue = renewalQueryDue(row->spec);
        if (row) turn.persistLookDue = persistLookDue(row->spec);
    } catch (const Error& error) {
        turn.error = error;
        parts_.log.write({Severity::error,
                          event_id::issueFailed,
                          id + ": " + error.what(),
                          {{"CERTMGR_CERTIFICATE", id}, {"CERTMGR_CODE", error.code()}}});
    }
    turn.wanted = row || turn.error;
    if (row) turn.view = viewOf(*row, turn.decision);
    return turn;
}

// Decides and does what takes milliseconds, until nothing of that is left.
void Engine::settleIssue(const CertificateId& id, std::optional<store::CertificateRow>& row, Turn& turn) {
    for (int round = 0; round < mostRounds; ++round) {
        // Before the row: what an order that ends meanwhile has put in force is then not taken for older.
        std::optional<Credential> current = records_.credentials.current(id);
        turn.follows = current ? current->generation : 0;
        row = records_.certificates.find(id);
        if (!row) return;
        row->spec.usage = usageOf(id);
        turn.decision = decideFor(*row, std::move(current));
        if (turn.decision.action == Action::useUploaded) {
            const Credential upload = uploads_.best(row->spec, parts_.clock.now()).credential.value();
            records_.credentials.setCurrent(id, upload.generation);
        } else if (turn.decision.action == Action::issueLocal) {
            localIssuer_.issue(row->spec, turn.decision.replaces);
            recordSuccess(id);
        } else {
            // Nothing better can be had: the one who asked reads the reason.
            if (row->reissueAsked && turn.decision.action == Action::none)
                records_.certificates.askReissue(id, false);
            return;
        }
        if (row->reissueAsked) records_.certificates.askReissue(id, false);
    }
    throw Error(
        ErrorKind::internal, "defect",
        "a defect of certmgr: what was done is not what was decided, \"" + turn.decision.reason + "\"");
}

void Engine::recordSuccess(const CertificateId& id) {
    const auto credential = records_.credentials.current(id);
    if (!credential) return;
    parts_.log.write({Severity::info,
                      event_id::certificateIssued,
                      id + ": " + std::string(toString(credential->source)) + " certificate of " +
                          credential->leaf.issuer + ", valid until " + formatTime(credential->leaf.notAfter),
                      {{"CERTMGR_CERTIFICATE", id}, {"CERTMGR_SHA256", credential->leaf.sha256}}});
    if (servicesOf(id).empty()) takeAwayRetired(id);
}

// Else that is done when a service has been brought another: it may be on its way to one that was renewed
// since.
void Engine::takeAwayRetired(const CertificateId& id) {
    try {
        for (const KeyId& key : records_.credentials.retire(id, trustedTime(parts_.clock)))
            keys_.discard(key);
    } catch (const Error& error) {  // the next start does
        report(event_id::jobFailed, "keys of " + id + " that are of no more use", error);
    }
}

void Engine::orderTurn(const CertificateId& id, std::int64_t follows, std::stop_token stop) {
    const auto row = records_.certificates.find(id);
    if (!row) return;
    // The order before may have ended after this one was decided.
    const auto current = records_.credentials.current(id);
    const TimePoint now = parts_.clock.now();
    if (row->nextAttempt(now).value_or(now) > now || (current ? current->generation : 0) != follows) return;
    const auto activity = [this](const CertificateId& certificate, const std::string& sentence) {
        parts_.queue.post([this, certificate, sentence] { showActivity(certificate, sentence); });
    };
    try {
        const std::optional<Wait> wait = acmeIssuer_.issue(row->spec, beforeOf(*row), activity, stop);
        wait ? recordWait(id, *wait) : recordSuccess(id);
    } catch (const Error& error) {
        if (!stop.stop_requested()) recordFailure(*row, error);
    }
}

// The usual schedule goes on; the one who asked for it sees why nothing came.
void Engine::recordWait(const CertificateId& id, const Wait& wait) {
    const TimePoint now = parts_.clock.now();
    const TimePoint until = nextAttempt(1, now, std::nullopt, jitter(), wait.until);
    records_.certificates.orderWaits(id, now, until, wait.why, wait.what);
    records_.certificates.askReissue(id, false);
    parts_.log.write({Severity::notice,
                      event_id::orderWaits,
                      id + ": " + wait.why + "; looked at again " + formatTime(until),
                      {{"CERTMGR_CERTIFICATE", id}}});
}

void Engine::recordFailure(const store::CertificateRow& row, const Error& error) {
    const CertificateId& id = row.spec.id;
    const TimePoint now = parts_.clock.now();
    std::optional<seconds> shortLivedRemaining;
    if (const auto current = records_.credentials.current(id); current && isShortLived(current->leaf))
        shortLivedRemaining = current->leaf.notAfter - now;
    const AttemptRecord record =
        acmeIssuer_.afterFailure(row.acme.failures, error, shortLivedRemaining, jitter());
    records_.certificates.attemptFailed(id, record, now, error.code(), error.what(), error.problem());
    records_.certificates.askReissue(id,
                                     false);  // the usual schedule goes on; the one who asked sees the error
    parts_.log.write({Severity::warning,
                      event_id::issueFailed,
                      id + ": " + error.what() + "; next attempt " + formatTime(record.nextAttempt.value()),
                      {{"CERTMGR_CERTIFICATE", id},
                       {"CERTMGR_CODE", error.code()},
                       {"CERTMGR_PROBLEM", acme::problemForLog(error)}}});
}

void Engine::removeTurn(const CertificateId& id) {
    for (const KeyId& key : records_.certificates.remove(id)) {
        try {
            keys_.discard(key);
        } catch (const Error& error) {  // the certificate is gone; the next start clears the key away
            report(event_id::jobFailed, "a key of " + id, error);
        }
    }
}

void Engine::runIssue(const CertificateId& id) {
    if (stopping_) return;
    const std::string lane = "issue:" + id;
    if (removing_.contains(id)) {
        if (lanes_.busy("order:" + id)) return;  // cancelled; its end comes back here
        lanes_.run(
            lane, issueWorkers_, [this, id](std::stop_token) { removeTurn(id); },
            [this, id](const auto& failure) { concludeRemove(id, failure); });
        return;
    }
    auto turn = std::make_shared<Turn>();
    lanes_.run(
        lane, issueWorkers_, [this, id, turn](std::stop_token) { *turn = issueTurn(id); },
        [this, id, turn](const auto& failure) {
            if (failure) turn->error = failure;
            concludeIssue(id, *turn);
        });
}

void Engine::concludeIssue(const CertificateId& id, const Turn& turn) {
    if (removing_.contains(id)) return runIssue(id);
    if (!turn.wanted) {
        deployWhereAllIsIssued(id);
        return settleJobs();
    }
    if (turn.error) {
        schedule_.set("issue:" + id, parts_.clock.now() + localRetry(localFailures_[id]++));
    } else {
        localFailures_.erase(id);
        schedule_.set("issue:" + id, turn.decision.lookAgain);
        schedule_.set("renewal:" + id, turn.renewalQueryDue);
        schedule_.set("persist:" + id, turn.persistLookDue);
    }
    if (!turn.view) {
        deployWhereAllIsIssued(id);
        return settleJobs();
    }
    CertificateView view = *turn.view;
    view.proof = worstProof(view, parts_.views.services());
    if (turn.error) {
        view.lastError = turn.error->what();
        view.failures = static_cast<std::uint64_t>(localFailures_[id]);
    }
    if (turn.decision.action == Action::orderAcme && !turn.error) {
        view.activity = "asking the CA";
        runOrder(id, turn.follows);
    }
    parts_.views.put(view);
    lookAtAlarmsSoon();
    uploadsChanged();
    markStale(view);
    deployWhereAllIsIssued(id);
    if (acmeRevocations_.due()) runRevocations();
    settleJobs();
}

void Engine::runOrder(const CertificateId& id, std::int64_t follows) {
    if (stopping_ || lanes_.busy("order:" + id)) return;
    lanes_.run(
        "order:" + id, orderWorkers_,
        [this, id, follows](std::stop_token stop) { orderTurn(id, follows, stop); },
        [this, id](const auto& failure) {
            runChallenges();
            if (failure && !stopping_ && !removing_.contains(id))
                concludeUnrecorded(id, *failure);
            else
                runIssue(id);
        });
}

// Not even the failure could be stored, so the decision would be the same one at once.
void Engine::concludeUnrecorded(const CertificateId& id, const Error& failure) {
    report(event_id::issueFailed, id, failure);
    schedule_.set("issue:" + id, parts_.clock.now() + localRetry(localFailures_[id]++));
    if (const auto known = parts_.views.certificates().find(id); known != parts_.views.certificates().end()) {
        CertificateView view = known->second;
        view.lastError = failure.what();
        view.failures = static_cast<std::uint64_t>(localFailures_[id]);
        view.activity = "";
        parts_.views.put(std::move(view));
    }
    settleJobs();
}

void Engine::showActivity(const CertificateId& id, const std::string& sentence) {
    const auto known = parts_.views.certificates().find(id);
    if (known == parts_.views.certificates().end()) return;
    CertificateView view = known->second;
    view.activity = sentence;
    parts_.views.put(std::move(view));
}

void Engine::markStale(const CertificateView& view) {
    if (view.generation == 0) return;
    for (const std::string& service : view.services) {
        const ServiceView& shown = parts_.views.services().at(service);
        for (const DeploymentView& deployment : shown.deployments)
            if (deployment.certificate == view.id && deployment.wanted != view.generation)
                stale_.insert(service);
    }
}

// A new root gives a service a thousand new leaves: it is reloaded for the last of them, not for each. What
// waits for a CA does not count: orders have lanes of their own.
void Engine::deployWhereAllIsIssued(const CertificateId& id) {
    for (const std::string& name : servicesOf(id)) {
        if (!stale_.contains(name)) continue;
        deployIfAllIsIssued(*std::ranges::find(profiles_, name, &ServiceProfile::name));
    }
}

void Engine::deployIfAllIsIssued(const ServiceProfile& service) {
    // From the end: lanes are worked off in the order of the certificates.
    if (std::any_of(service.certificates.rbegin(), service.certificates.rend(),
                    [&](const CertificateSpec& spec) { return lanes_.busy("issue:" + spec.id); }))
        return;
    stale_.erase(service.name);
    runDeploy(service.name);
}

void Engine::concludeRemove(const CertificateId& id, const std::optional<Error>& failure) {
    removing_.erase(id);
    if (failure) {
        report(event_id::jobFailed, "delete " + id, *failure);
        for (auto& [job, followed] : followed_)
            if (followed.kind == "delete" && followed.certificates.contains(id)) followed.failure = failure;
        runIssue(id);  // it is still there, and still cared for
    } else {
        schedule_.set("issue:" + id, std::nullopt);
        schedule_.set("renewal:" + id, std::nullopt);
        schedule_.set("persist:" + id, std::nullopt);
        parts_.views.remove(Views::Kind::certificate, id);
        lookAtAlarmsSoon();
        uploadsChanged();
    }
    settleJobs();
}

}  // namespace certmgr::engine
