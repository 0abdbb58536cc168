#include "certmgr/engine/stored_order.h"

#include <algorithm>

#include "certmgr/crypto/x509.h"

namespace certmgr::engine {

std::optional<std::string> StoredOrder::orderUrl() {
    return row_.url.empty() ? std::nullopt : std::optional(row_.url);
}

// A key that is now asked for in another place or of another kind is none to go back to, and even less one
// that was revoked.
bool StoredOrder::mayTake(const hal::KeyInfo& key) const {
    const std::vector<store::AcmeRevocationRow> revoked = records_.acmeRevocations.list(row_.certificate);
    return isAsWanted(key, placing_.spec) &&
           std::ranges::find(revoked, key.id, &store::AcmeRevocationRow::key) == revoked.end();
}

// Those of its own orders first: after an outage each of a thousand certificates may have one.
std::vector<KeyId> StoredOrder::spareKeys() {
    const std::vector<KeyId> own = records_.orders.keysGivenUp(row_.certificate);
    std::vector<KeyId> keys = records_.keys.spare();
    std::stable_partition(keys.begin(), keys.end(),
                          [&](const KeyId& id) { return std::ranges::find(own, id) != own.end(); });
    return keys;
}

std::optional<hal::KeyInfo> StoredOrder::usableKey(const KeyId& id) {
    try {
        const std::optional<hal::KeyInfo> key = keys_.store().find(id);
        return key && mayTake(*key) ? key : std::nullopt;
    } catch (const Error& error) {
        if (error.code() != "key-damaged") throw;
        return std::nullopt;  // it is no use to anybody, and one of many
    }
}

bool StoredOrder::takeKeyOf(const std::string& chainPem) {
    const crypto::X509Ptr leaf = crypto::parseLeafPem(chainPem);
    for (const KeyId& id : spareKeys()) {
        const std::optional<hal::KeyInfo> key = usableKey(id);
        if (!key || !crypto::keyMatches(*leaf, key->publicKey)) continue;
        keys_.grant(id, placing_.spec.users);
        records_.database.transaction([&] {
            records_.keys.made(*key);
            records_.orders.takeKey(row_.id, id);
        });
        keys_.discard(std::exchange(row_.key, id));
        return true;
    }
    return false;
}

// As the limits saw it when it was sent.
OrderFacts StoredOrder::facts() const {
    OrderFacts order = placing_.budget.orderFor(placing_.spec, placing_.ca);
    order.suggested = row_.exempt;
    return order;
}

void StoredOrder::move(store::OrderState state, const std::string& urlOrExplanation,
                       const std::function<void()>& alongside) {
    records_.database.transaction([&] {
        alongside();
        records_.orders.setState(row_.id, state, urlOrExplanation);
    });
    row_.state = state;
}

// A record that stays is what the next proof depends on too; it is looked at as soon as may be.
void StoredOrder::authorizationProved(const Identifier& name, ChallengeKind kind,
                                      std::optional<bool> preferred) {
    if (placing_.ca.forTests) return;
    if (preferred)
        records_.certificates.setProvedBy(row_.certificate, *preferred ? std::nullopt : std::optional(kind));
    if (kind == ChallengeKind::dnsPersist01)
        records_.persist.put({row_.certificate, name.value, row_.ca, std::nullopt, "", TimePoint()});
    else
        records_.persist.forget(row_.certificate, name.value);
}

// RFC 9773 5: the CA's exemption is for an order that says what it replaces.
void StoredOrder::sendingNewOrder(bool replaces) {
    OrderFacts order = placing_.budget.orderFor(placing_.spec, placing_.ca);
    order.suggested = order.suggested && replaces;
    const TimePoint now = placing_.clock.now();
    records_.database.transaction([&] {
        wait_ = placing_.budget.spend(row_.certificate, placing_.ca, order);
        if (wait_) return;
        if (key_) records_.keys.made(*key_);
        records_.orders.sending(row_.id, now, replaces, order.suggested);
    });
    if (wait_) throw Error(ErrorKind::rateLimited, "budget-spent", wait_->why).retryAt(wait_->until);
    row_.exempt = order.suggested;
    row_.intended = now;
    row_.state = store::OrderState::sending;
}

void StoredOrder::newOrderRefused() {
    move(store::OrderState::intended, "", [&] { placing_.budget.refused(placing_.ca, facts()); });
}

void StoredOrder::orderCreated(const std::string& url) {
    move(store::OrderState::created, url, [] {});
    row_.url = url;
}

void StoredOrder::orderAbandoned(const std::string& reason) {
    move(store::OrderState::abandoned, reason, [&] {
        placing_.budget.authorizationsFailed(placing_.ca, facts(), failed_);
        placing_.budget.cameToNothing(placing_.ca, facts());
        records_.orders.setRefused(row_.key);
    });
    failed_.clear();
}

void StoredOrder::orderLost(const std::string& explanation) {
    records_.database.transaction([&] {
        placing_.budget.cameToNothing(placing_.ca, facts());
        records_.orders.setState(row_.id, store::OrderState::lost, explanation);
        row_.id = records_.orders.intend(row_);
    });
    row_.state = store::OrderState::intended;
    row_.exempt = false;
    log_.write({Severity::warning,
                event_id::orderLost,
                row_.certificate + ": " + explanation,
                {{"CERTMGR_CERTIFICATE", row_.certificate}, {"CERTMGR_CA", row_.ca}}});
}

}  // namespace certmgr::engine
