#include "certmgr/engine/acme_revocations.h"

#include <algorithm>

#include "certmgr/crypto/x509.h"
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

// What the CA says is for good, but for what its subscriber can put right.
bool forGood(const Error& error) {
    return error.kind() == ErrorKind::rejected &&
           error.problem().find("userActionRequired") == std::string::npos;
}

}  // namespace

std::string AcmeRevocations::Plan::sentence() const {
    std::string serials;
    for (const store::AcmeRevocationRow& row : rows)
        serials += (serials.empty() ? "" : ", ") + row.leaf.serial + " at " + row.ca;
    return (inForce ? "another certificate with a new key is put in force and proved at every service, then "
                      "revoked: "
                    : "revoked at once: ") +
           serials + " (" + std::string(toString(rows.front().reason)) + ")";
}

AcmeRevocations::Plan AcmeRevocations::plan(const CertificateId& id, const std::string& serial,
                                            RevocationReason reason) {
    const std::vector<Credential> history = records_.credentials.history(id);
    const std::optional<Credential> current = records_.credentials.current(id);
    const Credential target = chosen(history, current, id, serial);
    requireOfCa(target);
    Plan plan;
    plan.inForce = current && current->key == target.key;
    for (const Credential& each : history) {
        const bool ended = clock_.trust().trusted && each.leaf.notAfter <= clock_.now();
        if (each.key != target.key || each.source != Source::acme || ended) continue;
        store::AcmeRevocationRow& row = plan.rows.emplace_back();
        row.certificate = id;
        row.ca = each.issuerId;
        row.key = each.key;
        row.leafPem = crypto::toPem(*crypto::parseLeafPem(each.chainPem));
        row.leaf = each.leaf;
        row.reason = reason;
        row.asked = clock_.now();
    }
    if (plan.rows.empty())
        reject("expired", "the certificate of " + id + " has expired: there is nothing to revoke");
    return plan;
}

void AcmeRevocations::ask(const CertificateId& id, const Plan& plan) {
    const std::lock_guard lock(mutex_);
    records_.database.transaction([&] {
        for (const store::AcmeRevocationRow& row : plan.rows) records_.acmeRevocations.ask(row);
        if (plan.inForce) records_.certificates.retryNow(id);
    });
    due_ = true;
}

AcmeRevocationFacts AcmeRevocations::factsOf(const store::AcmeRevocationRow& row) {
    AcmeRevocationFacts facts;
    facts.notAfter = row.leaf.notAfter;
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
        const bool another =
            deployed && deployed->lastGood != 0 && !hasKey(deployed->lastGood) && !hasKey(deployed->wanted);
        if (!another) facts.stillServedBy.push_back(service);
    }
    return facts;
}

AcmeRevocations::Round AcmeRevocations::run(const std::stop_token& stop) {
    Round round;
    for (const store::AcmeRevocationRow& row : records_.acmeRevocations.due()) {
        if (stop.stop_requested()) break;
        const std::optional<TimePoint> again = take(row, stop);
        if (again && (!round.lookAgain || *again < *round.lookAgain)) round.lookAgain = again;
        round.described[row.certificate] = describeRevocation(records_, row.certificate);
    }
    const std::lock_guard lock(mutex_);
    due_ = !records_.acmeRevocations.due().empty();
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

std::optional<TimePoint> AcmeRevocations::send(const store::AcmeRevocationRow& row,
                                               const std::stop_token& stop) {
    try {
        issuer_.revoke(row, stop);
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
    const store::AcmeRevocationRow& newest = rows.front();
    return std::string(toString(newest.state)) + ": " + newest.leaf.serial + " (" +
           std::string(toString(newest.reason)) + ")" + (newest.words.empty() ? "" : ", " + newest.words);
}

}  // namespace certmgr::engine
