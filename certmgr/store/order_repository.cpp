#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

#define CERTMGR_SELECT_ORDER \
    "SELECT id, certificate, ca, directory, key, state, url, explanation, intended FROM orders "

std::optional<OrderState> orderStateFrom(std::string_view text) {
    for (const OrderState state : {OrderState::intended, OrderState::sending, OrderState::created,
                                   OrderState::finished, OrderState::abandoned, OrderState::lost})
        if (toString(state) == text) return state;
    return std::nullopt;
}

OrderRow orderRow(Query& query) {
    OrderRow row;
    row.id = query.integer();
    row.certificate = query.text();
    row.ca = query.text();
    row.directory = query.text();
    row.key = query.key();
    const std::string state = query.text();
    row.state = valueOf(orderStateFrom(state), state);
    row.url = query.text();
    row.explanation = query.text();
    row.intended = query.time();
    return row;
}

}  // namespace

std::string_view toString(OrderState state) noexcept {
    switch (state) {
        case OrderState::intended:
            return "intended";
        case OrderState::sending:
            return "sending";
        case OrderState::created:
            return "created";
        case OrderState::finished:
            return "finished";
        case OrderState::abandoned:
            return "abandoned";
        case OrderState::lost:
            return "lost";
    }
    return "";
}

std::int64_t OrderRepository::intend(const CertificateId& certificate, const std::string& ca,
                                     const std::string& directory, const KeyId& key, TimePoint when) {
    return Query(database_,
                 "INSERT INTO orders (certificate, ca, directory, key, state, intended) "
                 "VALUES (?, ?, ?, ?, ?, ?)",
                 certificate, ca, directory, key, toString(OrderState::intended), when)
        .insert();
}

void OrderRepository::setState(std::int64_t id, OrderState state, const std::string& urlOrExplanation) {
    const bool isUrl = state == OrderState::created;
    Query query(database_,
                "UPDATE orders SET state = ?, url = coalesce(?, url), explanation = coalesce(?, explanation) "
                "WHERE id = ?",
                toString(state), isUrl ? std::optional(urlOrExplanation) : std::nullopt,
                isUrl ? std::nullopt : std::optional(urlOrExplanation), id);
    if (query.run() == 0)
        throw Error(
            ErrorKind::rejected, "order-not-found",
            "there is no order " + std::to_string(id) + " any more; its certificate was deleted meanwhile");
}

std::optional<OrderRow> OrderRepository::open(const CertificateId& certificate) {
    Query query(database_,
                CERTMGR_SELECT_ORDER "WHERE certificate = ? AND state IN ('intended', 'sending', 'created')",
                certificate);
    if (!query.next()) return std::nullopt;
    return orderRow(query);
}

bool OrderRepository::knowsUrl(const std::string& url) {
    return Query(database_, "SELECT 1 FROM orders WHERE url = ? AND url <> ''", url).next();
}

std::vector<OrderRow> OrderRepository::list(const CertificateId& certificate) {
    std::vector<OrderRow> rows;
    Query query(database_, CERTMGR_SELECT_ORDER "WHERE certificate = ? ORDER BY id DESC", certificate);
    while (query.next()) rows.push_back(orderRow(query));
    return rows;
}

OrderRepository::Ended OrderRepository::ended(const CertificateId& certificate, OrderState state) {
    Query query(database_, "SELECT count(*), max(intended) FROM orders WHERE certificate = ? AND state = ?",
                certificate, toString(state));
    query.next();
    const std::int64_t count = query.integer();
    return {static_cast<std::uint64_t>(count), query.optionalTime()};
}

void AccountRepository::intend(const std::string& ca, const std::string& directory, const KeyId& key) {
    Query(database_, "INSERT INTO accounts (ca, directory, key) VALUES (?, ?, ?)", ca, directory, key).run();
}

void AccountRepository::registered(const std::string& ca, const std::string& directory,
                                   const std::string& url) {
    Query query(database_, "UPDATE accounts SET url = ? WHERE ca = ? AND directory = ?", url, ca, directory);
    if (query.run() == 0)
        throw Error(ErrorKind::internal, "account-not-found",
                    "the account at " + ca +
                        " was registered without being intended first; this is a defect of certmgr");
}

std::optional<AccountRow> AccountRepository::find(const std::string& ca, const std::string& directory) {
    Query query(database_, "SELECT ca, directory, key, url FROM accounts WHERE ca = ? AND directory = ?", ca,
                directory);
    if (!query.next()) return std::nullopt;
    AccountRow row;
    row.ca = query.text();
    row.directory = query.text();
    row.key = query.key();
    row.url = query.text();
    return row;
}

}  // namespace certmgr::store
