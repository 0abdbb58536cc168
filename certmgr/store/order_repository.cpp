#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"
#include "hal/words.h"

namespace certmgr::store {
namespace {

constexpr hal::Words<OrderState, 6> orderStates{{{OrderState::intended, "intended"},
                                                 {OrderState::sending, "sending"},
                                                 {OrderState::created, "created"},
                                                 {OrderState::finished, "finished"},
                                                 {OrderState::abandoned, "abandoned"},
                                                 {OrderState::lost, "lost"}}};

[[noreturn]] void throwNotFound(std::int64_t id) {
    throw Error(
        ErrorKind::rejected, "order-not-found",
        "there is no order " + std::to_string(id) + " any more; its certificate was deleted meanwhile");
}

}  // namespace

std::string_view toString(OrderState state) noexcept {
    return hal::wordOf(orderStates, state);
}

std::int64_t OrderRepository::intend(const OrderRow& order) {
    return Query(database_,
                 "INSERT INTO orders (certificate, ca, directory, key, state, intended, profile) "
                 "VALUES (?, ?, ?, ?, ?, ?, ?)",
                 order.certificate, order.ca, order.directory, order.key, toString(OrderState::intended),
                 order.intended, order.profile)
        .insert();
}

void OrderRepository::setState(std::int64_t id, OrderState state, const std::string& urlOrExplanation) {
    const bool isUrl = state == OrderState::created;
    Query query(database_,
                "UPDATE orders SET state = ?, url = coalesce(?, url), explanation = coalesce(?, explanation) "
                "WHERE id = ?",
                toString(state), isUrl ? std::optional(urlOrExplanation) : std::nullopt,
                isUrl ? std::nullopt : std::optional(urlOrExplanation), id);
    if (query.run() == 0) throwNotFound(id);
}

std::optional<OrderRow> OrderRepository::open(const CertificateId& certificate) {
    Query query(
        database_,
        "SELECT id, certificate, ca, directory, key, state, url, intended, exempt, profile FROM orders "
        "WHERE certificate = ? AND state IN ('intended', 'sending', 'created')",
        certificate);
    if (!query.next()) return std::nullopt;
    OrderRow row;
    row.id = query.integer();
    row.certificate = query.text();
    row.ca = query.text();
    row.directory = query.text();
    row.key = query.key();
    const std::string state = query.text();
    row.state = valueOf(hal::valueNamed(orderStates, state), state);
    row.url = query.text();
    row.intended = query.time();
    row.exempt = query.boolean();
    row.profile = query.text();
    return row;
}

void OrderRepository::sending(std::int64_t id, TimePoint when, bool replaces, bool exempt) {
    Query query(
        database_,
        "UPDATE orders SET state = ?, explanation = '', intended = ?, exempt = ?, replaces = CASE WHEN ? THEN"
        " (SELECT generation FROM credentials JOIN certificates ON generation = current"
        "  WHERE certificates.id = orders.certificate AND source = 'acme') END WHERE id = ?",
        toString(OrderState::sending), when, exempt, replaces, id);
    if (query.run() == 0) throwNotFound(id);
}

void OrderRepository::setRefused(const KeyId& key) {
    Query(database_, "UPDATE orders SET replaces = NULL WHERE key = ?", key).run();
}

bool OrderRepository::knowsUrl(const std::string& url) {
    return Query(database_, "SELECT 1 FROM orders WHERE url = ? AND url <> ''", url).next();
}

std::vector<std::string> OrderRepository::givenUp(const OrderRow& like) {
    Query query(database_,
                "SELECT url FROM orders WHERE certificate = ? AND directory = ? AND profile = ? "
                "AND state = 'abandoned' AND url <> '' AND key IS NOT NULL AND replaces IS NOT NULL "
                "ORDER BY id DESC",
                like.certificate, like.directory, like.profile);
    std::vector<std::string> urls;
    while (query.next()) urls.push_back(query.text());
    return urls;
}

std::vector<KeyId> OrderRepository::keysGivenUp(const CertificateId& certificate) {
    Query query(database_,
                "SELECT DISTINCT key FROM orders WHERE certificate = ? AND state IN ('abandoned', 'lost') "
                "AND key IS NOT NULL",
                certificate);
    std::vector<KeyId> keys;
    while (query.next()) keys.push_back(query.key());
    return keys;
}

void OrderRepository::takeKey(std::int64_t id, const KeyId& key) {
    Query(database_, "UPDATE orders SET key = ? WHERE id = ?", key, id).run();
}

std::string OrderRepository::directoryOf(const KeyId& key) {
    Query query(database_, "SELECT directory FROM orders WHERE key = ? ORDER BY id DESC LIMIT 1", key);
    return query.next() ? query.text() : std::string();
}

OrderRepository::Ended OrderRepository::ended(const CertificateId& certificate, OrderState state) {
    Query query(database_, "SELECT count(*), max(intended) FROM orders WHERE certificate = ? AND state = ?",
                certificate, toString(state));
    query.next();
    const std::int64_t count = query.integer();
    return {static_cast<std::uint64_t>(count), query.optionalTime()};
}

}  // namespace certmgr::store
