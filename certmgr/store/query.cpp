#include "certmgr/store/query.h"

#include <SQLiteCpp/Column.h>
#include <nlohmann/json.hpp>
namespace certmgr::store {
namespace {

constexpr std::string_view dnsPrefix = "dns:";
constexpr std::string_view ipPrefix = "ip:";

Identifier identifierFrom(const std::string& text) {
    if (text.starts_with(dnsPrefix)) return {Identifier::Type::dns, text.substr(dnsPrefix.size())};
    if (text.starts_with(ipPrefix)) return {Identifier::Type::ip, text.substr(ipPrefix.size())};
    return valueOf(std::optional<Identifier>(), text);
}

}  // namespace

SQLite::Statement& Query::prepare(Database& database, const char* sql) {
    return translatingErrors(guard_.connection.getHandle(),
                             [&]() -> SQLite::Statement& { return database.prepared(sql); });
}

Query::~Query() {
    // A statement that is not reset would keep the snapshot it reads, and with it the WAL, alive.
    statement_.tryReset();
}

bool Query::next() {
    column_ = 0;
    return translatingErrors(guard_.connection.getHandle(), [&] { return statement_.executeStep(); });
}

int Query::run() {
    return translatingErrors(guard_.connection.getHandle(), [&] { return statement_.exec(); });
}

std::int64_t Query::insert() {
    run();
    return guard_.connection.getLastInsertRowid();
}

std::string Query::text() {
    return statement_.getColumn(column_++).getString();
}

std::int64_t Query::integer() {
    return statement_.getColumn(column_++).getInt64();
}

std::optional<TimePoint> Query::optionalTime() {
    if (!statement_.getColumn(column_).isNull()) return time();
    ++column_;
    return std::nullopt;
}

std::vector<std::string> Query::texts() {
    const std::string json = text();
    try {
        return nlohmann::json::parse(json).get<std::vector<std::string>>();
    } catch (const nlohmann::json::exception&) {
        return valueOf(std::optional<std::vector<std::string>>(), json);
    }
}

std::vector<Identifier> Query::names() {
    std::vector<Identifier> result;
    for (const std::string& name : texts()) result.push_back(identifierFrom(name));
    return result;
}

KeyId Query::key() {
    const std::string id = text();
    if (id.empty()) return {};
    return valueOf(KeyId::parse(id), id);
}

CertificateSummary Query::summary() {
    CertificateSummary result;
    result.names = names();
    result.subject = text();
    result.issuer = text();
    result.serial = text();
    result.sha256 = text();
    result.notBefore = time();
    result.notAfter = time();
    return result;
}

void Query::bind(const std::string& value) {
    statement_.bind(++parameter_, value);
}

void Query::bind(std::int64_t value) {
    statement_.bind(++parameter_, value);
}

void Query::bind(const std::optional<TimePoint>& value) {
    if (value) return bind(*value);
    statement_.bind(++parameter_);
}

void Query::bind(const std::optional<std::string>& value) {
    if (value) return bind(*value);
    statement_.bind(++parameter_);
}

void Query::bind(const std::vector<std::string>& value) {
    // A name in a foreign certificate need not be UTF-8; it is only ever shown.
    bind(nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void Query::bind(const std::vector<Identifier>& value) {
    std::vector<std::string> texts;
    for (const Identifier& name : value)
        texts.push_back(std::string(name.type == Identifier::Type::dns ? dnsPrefix : ipPrefix) + name.value);
    bind(texts);
}

void Query::bind(const CertificateSummary& value) {
    bind(value.names);
    bind(value.subject);
    bind(value.issuer);
    bind(value.serial);
    bind(value.sha256);
    bind(value.notBefore);
    bind(value.notAfter);
}

}  // namespace certmgr::store
