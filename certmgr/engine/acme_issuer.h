// Orders at CAs on the net, and when these want a renewal. Each call blocks, and runs on a worker.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/acme/issue.h"
#include "certmgr/core/clock.h"
#include "certmgr/engine/acme_cas.h"
#include "certmgr/engine/budget.h"
#include "certmgr/engine/key_ring.h"

namespace certmgr::engine {

class StoredOrder;

// Decides which CA is asked, and takes an order from the intent to the credential; knows what CAs suggest and
// have counted. Thread-safe: orders for different certificates run side by side.
class AcmeIssuer {
  public:
    using Activity = std::function<void(const CertificateId&, const std::string& sentence)>;

    AcmeIssuer(KeyRing& keys, Records& records, const Clock& clock, AcmeCas& cas,
               std::vector<std::reference_wrapper<acme::Solver>> solvers, EventLog& log);

    bool configured() const { return !settings_.cas.empty(); }
    // An order that is known to come, after so many failures in a row.
    struct Coming {
        CertificateSpec spec;
        int failures = 0;
        TimePoint when;
    };
    // Of each CA, in the order in which they are asked, those for tests last: these have no orders planned.
    std::vector<CaBudget> budgets(const std::vector<Coming>& coming);
    // Why nobody here can prove it to a CA; empty: somebody can.
    std::string whyNotProvable(const Identifier& name) const;
    // What a CA that was asked now would find of the name, without asking one; `provedBy`: of its
    // certificate's Before; `limit`: of the questions to DNS. Nothing where no CA is configured.
    std::vector<PreflightEntry> lookAhead(const Identifier& name, std::optional<ChallengeKind> provedBy,
                                          std::chrono::milliseconds limit, const std::stop_token& stop);
    // The record after one more failure. A CA that asks to wait for long is passed over where there is
    // another.
    AttemptRecord afterFailure(int failures, const Error& error, std::optional<seconds> shortLivedRemaining,
                               double jitter) const;

    // Goes on with the stored intent of the certificate, or makes one, at the CA whose turn it is. Error
    // "cancelled": everything is kept for the next run. `before` says what came of the attempts before this
    // one: after one that failed at its challenge another kind is used, where there is one, else the kind
    // that has proved it; after one that the CA refused, the CA for tests is tried first (core/trial.h),
    // unless it has that wait for long. A trial that fails is the attempt's failure. A CA whose limits would
    // have it refuse is not asked: the next one is, and where none is left the order waits.
    struct Before {
        int failures = 0;                      // in a row
        std::string errorCode;                 // of the last one
        std::optional<TimePoint> lastAttempt;  // when the last one ended
        // What proved it, when a kind that is preferred had failed.
        std::optional<ChallengeKind> provedBy = std::nullopt;
    };
    std::optional<Wait> issue(const CertificateSpec& spec, const Before& before, const Activity& activity,
                              std::stop_token stop);
    // For people: the CA that it would ask now, and why not the first.
    std::string describeTurn(const CertificateSpec& spec, const Before& before);

    // For people: what CAs have said to leave alone of such an order, and where that is ended; empty:
    // nothing.
    std::string describePauses(const CertificateSpec& spec);
    // It was asked for by hand: what they have said holds no longer.
    void liftPauses(const CertificateSpec& spec);

    // Asks the CA of `current` when that is to be renewed; `known`: of the last time. What fails shows in the
    // time of the next query.
    RenewalInfo renewalInfo(const Credential& current, const std::optional<RenewalInfo>& known,
                            const std::stop_token& stop);

  private:
    const acme::CaSettings& caAfter(int failures) const;
    struct Turn {
        const acme::CaSettings& ca;
        std::optional<Wait> wait;  // until one of them may be asked
        std::string passedOver;    // why another one is not asked, whose turn it was; empty: none was
    };
    Turn caToAsk(const CertificateSpec& spec, const Before& before);
    const acme::CaSettings* caOfOpenOrder(const CertificateSpec& spec, const Before& before);
    std::optional<Wait> mustWait(const CertificateSpec& spec, const acme::CaSettings& ca);
    std::string predecessor(const CertificateSpec& spec, const acme::CaSettings& ca);
    bool otherKeyWanted(const KeyId& id, const CertificateSpec& spec) const;
    store::OrderRow intent(const CertificateSpec& spec, const acme::CaSettings& ca);
    std::optional<Wait> tryFirst(const CertificateSpec& spec, const acme::CaSettings& ca,
                                 const Before& before, const acme::Solvers& solvers, const Activity& activity,
                                 const std::stop_token& stop);
    std::optional<Wait> order(const CertificateSpec& spec, const acme::CaSettings& ca,
                              const Activity& activity, const std::function<void(StoredOrder&)>& use);
    void giveUpIfOld(StoredOrder& journal, const Error& error);
    void learn(Error& error, const StoredOrder& journal, const CertificateSpec& spec,
               const acme::CaSettings& ca);
    void tryOut(const CertificateSpec& spec, const acme::CaSettings& ca, const acme::Solvers& solvers,
                StoredOrder& journal, const std::stop_token& stop);
    void run(const CertificateSpec& spec, const acme::CaSettings& ca, const acme::Solvers& solvers,
             StoredOrder& journal, std::stop_token stop);
    // `key`: of the order; absent: it is not in the key store.
    Credential checked(const CertificateSpec& spec, const store::OrderRow& order,
                       const std::optional<hal::KeyInfo>& key, const acme::Issued& issued) const;
    void requireIssuer(const store::OrderRow& order, const CertificateSummary& leaf,
                       const std::string& chainPem) const;
    void discardGivenUp(const CertificateId& id);
    ChainWish chainWish(const CertificateSpec& spec, const acme::CaSettings& ca) const;
    void tellOfProfile(const AcmeProfile& wanted, const acme::CaSettings& ca, const std::string& reason);

    KeyRing& keys_;
    Records& records_;
    const Clock& clock_;
    AcmeCas& cas_;
    const AcmeSettings& settings_;
    Budget budget_;
    const std::vector<std::reference_wrapper<acme::Solver>> solvers_;
    EventLog& log_;
};

}  // namespace certmgr::engine
