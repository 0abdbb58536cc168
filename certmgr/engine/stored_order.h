// The journal of one order: a row of the database.
#pragma once

#include <functional>

#include "certmgr/acme/issue.h"
#include "certmgr/engine/budget.h"
#include "certmgr/engine/event_log.h"
#include "certmgr/engine/key_ring.h"

namespace certmgr::engine {

// Keeps the CA's budget with each step. What it refers to must outlive it.
class StoredOrder : public acme::OrderJournal {
  public:
    struct Placing {
        const CertificateSpec& spec;
        const acme::CaSettings& ca;
        Budget& budget;
        const Clock& clock;
    };
    using Activity = std::function<void(const CertificateId&, const std::string& sentence)>;

    StoredOrder(Records& records, KeyRing& keys, EventLog& log, store::OrderRow row, Placing placing,
                Activity activity)
        : records_(records),
          keys_(keys),
          log_(log),
          row_(std::move(row)),
          placing_(placing),
          activity_(std::move(activity)) {}

    std::optional<std::string> orderUrl() override;
    bool newOrderWasSent() override { return row_.state != store::OrderState::intended; }
    bool isKnownOrder(const std::string& url) override { return records_.orders.knowsUrl(url); }
    std::vector<std::string> ordersGivenUp() override { return records_.orders.givenUp(row_); }
    // The key of the intent is destroyed then.
    bool takeKeyOf(const std::string& chainPem) override;
    void newOrderRefused() override;
    // Error(rateLimited, "budget-spent") where it has to wait; see wait().
    void sendingNewOrder(bool replaces) override;
    void orderCreated(const std::string& url) override;
    void orderAbandoned(const std::string& reason) override;
    void authorizationFailed(const Identifier& name) override { failed_.push_back(name); }
    void authorizationProved(const Identifier& name, ChallengeKind kind,
                             std::optional<bool> preferred) override;
    void activity(const std::string& sentence) override { activity_(row_.certificate, sentence); }
    // The lost order stays on record; the same key goes into a second intent, which this journal follows from
    // now on.
    void orderLost(const std::string& explanation) override;

    // Goes on record with newOrder, when it is needed; at once where that was sent before.
    void keyMade(const hal::KeyInfo& key) {
        key_ = key;
        if (newOrderWasSent()) records_.keys.made(key);
    }

    const store::OrderRow& row() const { return row_; }
    const std::optional<Wait>& wait() const { return wait_; }

  private:
    bool mayTake(const hal::KeyInfo& key) const;
    std::vector<KeyId> spareKeys();
    std::optional<hal::KeyInfo> usableKey(const KeyId& id);
    OrderFacts facts() const;
    void move(store::OrderState state, const std::string& urlOrExplanation,
              const std::function<void()>& alongside);

    Records& records_;
    KeyRing& keys_;
    EventLog& log_;
    store::OrderRow row_;
    const Placing placing_;
    Activity activity_;
    std::optional<hal::KeyInfo> key_;
    std::optional<Wait> wait_;
    std::vector<Identifier> failed_;
};

}  // namespace certmgr::engine
