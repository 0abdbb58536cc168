#include "certmgr/engine/acme_revocations.h"

#include <algorithm>

#include "certmgr/acme/revocation.h"
#include "certmgr/crypto/x509.h"
#include "certmgr/deploy/deployer.h"
#include "certmgr/engine/jitter.h"

namespace certmgr::engine {
namespace {

void requireOfCa(const Credential& credential) {
    if (credential.source == Source::uploaded)
        reject("not-of-a-ca", "generation " + std::to_string(credential.generation) + " of " +
                                  credential.certificate + " was uploaded: who issued it, " +
                                  credential.leaf.issuer + ", revokes it");
    if (credential.source == Source::local)
        reject("not-of-a-ca",
               "generation " + std::to_string(credential.generation) + " of " + credential.certificate +
                   " is of the box's own CA: reissue it, or revoke what that issued to others with "
                   "\"authority revoke\"");
}

const Credential& chosen(const std::vector<Credential>& history, const std::optional<Credential>& current,
                         const CertificateId& id, const std::string& serial) {
    if (serial.empty()) {
        if (!current) reject("not-found", "no certificate is in force for " + id);
        return *current;
    }
    const auto found =
        std::ranges::find_if(history, [&](const Credential& each) { return each.leaf.serial == serial; });
    if (found == history.end())
        reject("not-found", "there is no certificate of " + id + " with the serial number " + serial);
    return *found;
}

bool hasEnded(const CertificateSummary& leaf, const Clock& clock) {
    return clock.trust().trusted && leaf.notAfter <= clock.now();
}

store::AcmeRevocationRow rowFor(const CertificateId& id, const std::string& ca, const std::string& chainPem,
                                const CertificateSummary& leaf) {
    store::AcmeRevocationRow row;
    row.certificate = id;
    row.ca = ca;
    row.leafPem = crypto::toPem(*crypto::parseLeafPem(chainPem));
    row.leaf = leaf;
    return row;
}

// What the CA says is for good, but for what its subscriber can put right.
bool forGood(const Error& error) {
    return error.kind() == ErrorKind::rejected &&
           error.problem().find("userActionRequired") == std::string::npos;
}

}  // namespace

RevocationReason reasonForCa(const std::string& text) {
    const auto reason = revocationReasonFrom(text);
    if (reason && mayBeAskedOfCa(*reason)) return *reason;
    reject("bad-reason", (text.empty() ? "there is no reason" : "unknown reason \"" + text + "\"") +
                             ": expected unspecified, key-compromise, affiliation-changed, superseded or "
                             "cessation-of-operation");
}

std::string AcmeRevocations::Plan::sentence() const {
    std::string serials;
    for (const store::AcmeRevocationRow& row : rows)
        serials += (serials.empty() ? "" : ", ") + row.leaf.serial + " at " + row.ca;
    std::string how = inForce ? "once another certificate with a new key is in force" : "at once";
    if (!rows.front().atOnce)
        how = rows.front().reason == RevocationReason::keyCompromise
                  ? "once another certificate with a new key is proved where this one was seen"
                  : "once another certificate with a new key is proved at every service";
    return "revoked " + how + ": " + serials + " (" + std::string(toString(rows.front().reason)) + ")";
}

std::vector<store::AcmeRevocationRow> AcmeRevocations::hurried(const CertificateId& id) {
    std::vector<store::AcmeRevocationRow> rows = records_.acmeRevocations.list(id);
    std::erase_if(rows, [](const auto& row) { return row.state != AcmeRevocationState::due; });
    for (store::AcmeRevocationRow& row : rows) {
        row.atOnce = true;
        row.asked = clock_.now();
    }
    if (rows.empty())
        reject("bad-reason",
               "no revocation of " + id +
                   " is due that could be hurried; to have the certificate in force revoked, give a "
                   "reason");
    return rows;
}

std::vector<store::AcmeRevocationRow> AcmeRevocations::wanted(const CertificateId& id,
                                                              const Credential& target) {
    std::vector<store::AcmeRevocationRow> rows;
    for (const Credential& each : records_.credentials.history(id)) {
        if (each.key != target.key || each.source != Source::acme || hasEnded(each.leaf, clock_)) continue;
        store::AcmeRevocationRow& row =
            rows.emplace_back(rowFor(id, each.issuerId, each.chainPem, each.leaf));
        row.directory = records_.orders.directoryOf(each.key);
        row.key = each.key;
    }
    if (rows.empty())
        reject("expired", "the certificate of " + id + " has expired: there is nothing to revoke");
    return rows;
}

// The certificate in force is another one by then: who repeats the command to hurry it does not mean that.
void AcmeRevocations::requireNoneDue(const CertificateId& id, const CaRevocationCommand& command) {
    if (!command.atOnce || !command.serial.empty()) return;
    for (const store::AcmeRevocationRow& row : records_.acmeRevocations.list(id))
        if (row.state == AcmeRevocationState::due)
            reject("already-due",
                   "the revocation of " + row.leaf.serial +
                       " is due already: give --now without "
                       "a reason to have it at once, or the serial number of the one that is meant");
}

// Its key is gone: the account has it revoked.
std::optional<store::AcmeRevocationRow> AcmeRevocations::retired(const CertificateId& id,
                                                                 const std::string& serial) {
    for (const store::RetiredCertificate& each : records_.credentials.retired(id)) {
        if (each.leaf.serial != serial) continue;
        if (hasEnded(each.leaf, clock_))
            reject("expired", "the certificate with the serial number " + serial + " has expired");
        store::AcmeRevocationRow row = rowFor(id, each.ca, each.chainPem, each.leaf);
        row.directory = each.directory;
        return row;
    }
    return std::nullopt;
}

AcmeRevocations::Plan AcmeRevocations::plan(const CertificateId& id, const CaRevocationCommand& command) {
    const std::optional<Credential> current = records_.credentials.current(id);
    Plan plan;
    if (command.atOnce && command.reason.empty() && command.serial.empty()) {
        plan.rows = hurried(id);
    } else {
        const RevocationReason reason = reasonForCa(command.reason);
        requireNoneDue(id, command);
        if (auto row = retired(id, command.serial)) {
            plan.rows.push_back(*std::move(row));
        } else {
            const Credential target = chosen(records_.credentials.history(id), current, id, command.serial);
            requireOfCa(target);
            plan.rows = wanted(id, target);
        }
        for (store::AcmeRevocationRow& row : plan.rows) {
            row.reason = reason;
            row.asked = clock_.now();
            row.atOnce = command.atOnce;
        }
    }
    plan.inForce = current && std::ranges::any_of(plan.rows, [&](const store::AcmeRevocationRow& row) {
                       return row.key == current->key;
                   });
    return plan;
}

void AcmeRevocations::ask(const CertificateId& id, const Plan& plan) {
    const std::lock_guard lock(mutex_);
    records_.database.transaction([&] {
        for (const store::AcmeRevocationRow& row : plan.rows) records_.acmeRevocations.ask(row);
        if (!plan.inForce) return;
        // As for a reissue by hand: who asks for it knows more than what the CA has said.
        records_.certificates.retryNow(id);
        if (const auto row = records_.certificates.find(id)) issuer_.liftPauses(row->spec);
    });
    due_ = true;
}

AcmeRevocationFacts AcmeRevocations::factsOf(const store::AcmeRevocationRow& row) {
    AcmeRevocationFacts facts;
    facts.notAfter = row.leaf.notAfter;
    facts.reason = row.reason;
    facts.atOnce = row.atOnce;
    facts.attempts = row.attempts;
    facts.clockTrusted = clock_.trust().trusted;
    const auto hasKey = [&](std::int64_t generation) {
        const std::optional<Credential> credential = records_.credentials.find(generation);
        return !credential || credential->key == row.key;
    };
    const std::optional<Credential> current = records_.credentials.current(row.certificate);
    facts.inForce = current && current->key == row.key;
    for (const std::string& service : servicesOf_(row.certificate)) {
        const auto deployed = records_.deployments.find(service, row.certificate);
        const bool everGood = deployed && deployed->lastGood != 0;
        if (everGood && !hasKey(deployed->lastGood) && !hasKey(deployed->wanted)) continue;
        const bool off = deployed && deployed->state == toString(deploy::State::waiting);
        // One that nobody can look at counts until it was brought another.
        const bool serves = everGood && !off && (deployed->provedAt || hasKey(deployed->wanted));
        (serves ? facts.servedBy : facts.unseenAt).push_back(service);
    }
    return facts;
}

std::vector<RevocationAlarmFacts> AcmeRevocations::alarmFacts() {
    std::vector<RevocationAlarmFacts> facts;
    for (const store::AcmeRevocationRow& row : records_.acmeRevocations.due())
        facts.push_back({row.certificate, row.leaf.serial, row.reason, row.asked, row.words});
    return facts;
}

AcmeRevocations::Round AcmeRevocations::run(const std::stop_token& stop) {
    Round round;
    if (clock_.trust().trusted) records_.acmeRevocations.resume(clock_.now());
    for (const store::AcmeRevocationRow& row : records_.acmeRevocations.due()) {
        if (stop.stop_requested()) break;
        const std::optional<TimePoint> again = take(row, stop);
        if (again && (!round.lookAgain || *again < *round.lookAgain)) round.lookAgain = again;
        round.described[row.certificate] = describeRevocation(records_, row.certificate);
    }
    const std::lock_guard lock(mutex_);
    round.due = alarmFacts();
    due_ = !round.due.empty();
    return round;
}

std::optional<TimePoint> AcmeRevocations::take(const store::AcmeRevocationRow& row,
                                               const std::stop_token& stop) {
    const AcmeRevocationStep step = nextStep(factsOf(row), clock_.now());
    switch (step.kind) {
        case AcmeRevocationStep::Kind::revoke:
            return send(row, stop);
        case AcmeRevocationStep::Kind::giveUp:
            end(row, AcmeRevocationState::obsolete, step.reason);
            return std::nullopt;
        case AcmeRevocationStep::Kind::wait:
            break;
    }
    // What the CA said last says more than that it is asked again.
    if (row.attempts.failures == 0 && row.words != step.reason)
        records_.acmeRevocations.waits(row.id, step.reason);
    return step.lookAgain;
}

// Names are the administrator's, and may be another CA's by now. The account that ordered goes by the old
// one.
acme::CaSettings AcmeRevocations::caOf(const store::AcmeRevocationRow& row) const {
    const std::vector<acme::CaSettings>& cas = cas_.settings().cas;
    auto ca = std::ranges::find(cas, row.directory, &acme::CaSettings::directory);
    if (row.directory.empty()) ca = std::ranges::find(cas, row.ca, &acme::CaSettings::name);
    if (ca == cas.end())
        throw Error(ErrorKind::misconfigured, "ca-not-configured",
                    "the settings have no CA " + row.ca + " any more" +
                        (row.directory.empty() ? "" : ", nor another with the directory " + row.directory) +
                        ", which issued the certificate");
    acme::CaSettings found = *ca;
    const auto account = records_.accounts.find(row.ca, found.directory);
    if (account && !account->url.empty()) found.name = row.ca;
    return found;
}

void AcmeRevocations::revoke(const store::AcmeRevocationRow& row, const std::stop_token& stop) {
    const AcmeCas::InUse use = cas_.use();
    const acme::CaSettings ca = caOf(row);
    acme::RevocationRequest request{crypto::toDer(*crypto::parseLeafPem(row.leafPem)), row.reason, {}};
    if (!row.key.empty() && keys_.store().find(row.key)) request.key = keys_.store().open(row.key);
    acme::revoke(*cas_.sessionTo(ca, stop), request, stop);
}

std::optional<TimePoint> AcmeRevocations::send(const store::AcmeRevocationRow& row,
                                               const std::stop_token& stop) {
    try {
        revoke(row, stop);
    } catch (const Error& error) {
        if (stop.stop_requested()) throw;
        if (forGood(error)) {
            end(row, AcmeRevocationState::refused, error.what());
            return std::nullopt;
        }
        const int failures = row.attempts.failures + 1;
        const TimePoint again = nextAttempt(failures, clock_.now(), std::nullopt, jitter(), error.retryAt());
        records_.acmeRevocations.attemptFailed(row.id, {failures, again}, error.what());
        log_.write({Severity::warning,
                    event_id::revocationFailed,
                    row.certificate + ": " + row.leaf.serial + " is not revoked yet: " + error.what() +
                        "; next attempt " + formatTime(again),
                    {{"CERTMGR_CERTIFICATE", row.certificate}, {"CERTMGR_CODE", error.code()}}});
        return again;
    }
    end(row, AcmeRevocationState::done, row.ca + " has revoked it");
    return std::nullopt;
}

void AcmeRevocations::end(const store::AcmeRevocationRow& row, AcmeRevocationState state,
                          const std::string& words) {
    records_.acmeRevocations.ended(row.id, state, words);
    const bool done = state == AcmeRevocationState::done;
    log_.write(
        {done ? Severity::notice : Severity::warning,
         done ? event_id::certificateRevoked : event_id::revocationFailed,
         row.certificate + ": " + row.leaf.serial + " (" + std::string(toString(row.reason)) + "): " + words,
         {{"CERTMGR_CERTIFICATE", row.certificate}, {"CERTMGR_SERIAL", row.leaf.serial}}});
    if (!row.key.empty()) keys_.discard(row.key);
}

std::string describeRevocation(Records& records, const CertificateId& id) {
    const std::vector<store::AcmeRevocationRow> rows = records.acmeRevocations.list(id);
    if (rows.empty()) return "";
    const auto due = std::ranges::find(rows, AcmeRevocationState::due, &store::AcmeRevocationRow::state);
    const store::AcmeRevocationRow& row = due == rows.end() ? rows.front() : *due;
    return std::string(toString(row.state)) + ": " + row.leaf.serial + " (" +
           std::string(toString(row.reason)) + ")" + (row.words.empty() ? "" : ", " + row.words);
}

}  // namespace certmgr::engine
