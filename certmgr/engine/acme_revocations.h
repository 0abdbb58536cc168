// Takes certificates back at the CAs that issued them: what is wanted is stored first, what serves is
// replaced first, and what fails is tried again until it is over.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/core/alarm_verdict.h"
#include "certmgr/engine/acme_commands.h"
#include "certmgr/engine/acme_issuer.h"

namespace certmgr::engine {

// Thread-safe, but for two calls of run() at once.
class AcmeRevocations {
  public:
    using ServicesOf = std::function<std::vector<std::string>(const CertificateId&)>;

    AcmeRevocations(KeyRing& keys, Records& records, AcmeCas& cas, AcmeIssuer& issuer, const Clock& clock,
                    EventLog& log, ServicesOf servicesOf)
        : keys_(keys),
          records_(records),
          cas_(cas),
          issuer_(issuer),
          clock_(clock),
          log_(log),
          servicesOf_(std::move(servicesOf)) {}

    // What is to be revoked: the certificate in force, or the earlier one which has the serial, and all of
    // its history that have the same key. At once and without a serial, what is due already, where something
    // is.
    struct Plan {
        std::vector<store::AcmeRevocationRow> rows;
        bool inForce = false;  // one of them: another certificate takes its place first
        std::string sentence() const;
    };
    // Changes nothing. Error(rejected): "not-found", "not-of-a-ca" for what no CA on the net issued,
    // "expired", "bad-reason".
    Plan plan(const CertificateId& id, const CaRevocationCommand& command);
    // Durable when it returns, with the reissue that goes before.
    void ask(const CertificateId& id, const Plan& plan);

    // Does all that may be done now.
    struct Round {
        std::optional<TimePoint> lookAgain;  // when time alone changes something
        std::map<CertificateId, std::string> described;
        std::vector<RevocationAlarmFacts> due;  // after it
    };
    Round run(const std::stop_token& stop);
    // Whether some may be left to do: to be told of what changes.
    bool due() const { return due_; }
    std::vector<RevocationAlarmFacts> alarmFacts();

  private:
    std::vector<store::AcmeRevocationRow> hurried(const CertificateId& id);
    void requireNoneDue(const CertificateId& id, const CaRevocationCommand& command);
    std::vector<store::AcmeRevocationRow> wanted(const CertificateId& id, const Credential& target);
    std::optional<store::AcmeRevocationRow> retired(const CertificateId& id, const std::string& serial);
    AcmeRevocationFacts factsOf(const store::AcmeRevocationRow& row);
    std::optional<TimePoint> take(const store::AcmeRevocationRow& row, const std::stop_token& stop);
    std::optional<TimePoint> send(const store::AcmeRevocationRow& row, const std::stop_token& stop);
    // Blocks until the CA has revoked it. Errors: those of acme::revoke(), and misconfigured
    // "ca-not-configured".
    void revoke(const store::AcmeRevocationRow& row, const std::stop_token& stop);
    acme::CaSettings caOf(const store::AcmeRevocationRow& row) const;
    void end(const store::AcmeRevocationRow& row, AcmeRevocationState state, const std::string& words);

    KeyRing& keys_;
    Records& records_;
    AcmeCas& cas_;
    AcmeIssuer& issuer_;  // lifts what CAs have said to leave alone
    const Clock& clock_;
    EventLog& log_;
    const ServicesOf servicesOf_;
    std::mutex mutex_;  // what is stored and due_ change together
    std::atomic<bool> due_ = true;
};

// Error(rejected, "bad-reason") for one that is none, or not a subscriber's to give.
RevocationReason reasonForCa(const std::string& text);

// For people, of the newest of a certificate that is due, or else of the newest: "due: waits for …"; empty:
// none was asked for.
std::string describeRevocation(Records& records, const CertificateId& id);

}  // namespace certmgr::engine
