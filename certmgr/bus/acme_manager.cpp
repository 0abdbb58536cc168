#include "certmgr/bus/acme_manager.h"

#include <memory>

#include "certmgr/bus/arguments.h"
#include "certmgr/bus/dictionary.h"
#include "certmgr/bus/methods.h"
#include "certmgr/bus/names.h"

namespace certmgr::bus {
namespace {

constexpr sd_bus_vtable acmeVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("ListAccounts", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", accounts),
                            method<&AcmeManager::listAccounts>, anyone),
    SD_BUS_METHOD_WITH_ARGS("GetBudget", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", cas),
                            method<&AcmeManager::getBudget>, anyone),
    SD_BUS_METHOD_WITH_ARGS("ChangeAccountKey", SD_BUS_ARGS("s", ca), SD_BUS_RESULT("o", job),
                            method<&AcmeManager::changeAccountKey>, anyone),
    SD_BUS_METHOD_WITH_ARGS("DeactivateAccount", SD_BUS_ARGS("s", ca), SD_BUS_RESULT("o", job),
                            method<&AcmeManager::deactivateAccount>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Revoke", SD_BUS_ARGS("o", certificate, "s", reason, "a{sv}", options),
                            SD_BUS_RESULT("o", job), method<&AcmeManager::revoke>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Preflight", SD_BUS_ARGS("as", names), SD_BUS_RESULT("aa{sv}", findings),
                            method<&AcmeManager::preflight>, anyone),
    SD_BUS_METHOD_WITH_ARGS("PersistRecords", SD_BUS_ARGS("s", name, "a{sv}", options),
                            SD_BUS_RESULT("aa{sv}", records), method<&AcmeManager::persistRecords>, anyone),
    SD_BUS_VTABLE_END};

void appendAccount(sd_bus_message* reply, const engine::AcmeAccount& account) {
    appendEntry(reply, "Name", account.ca);
    appendEntry(reply, "Directory", account.directory);
    appendEntry(reply, "ForTests", account.forTests);
    appendEntry(reply, "Account", account.url);
    appendEntry(reply, "ExternalKey", account.externalKey);
    appendEntry(reply, "Contacts", account.contacts);
    appendEntry(reply, "Terms", account.terms);
    appendEntry(reply, "TermsAgreed", account.termsAgreed);
    appendEntry(reply, "TermsAgreedAt", account.termsAgreedAt.value_or(TimePoint()));
}

void appendBucket(sd_bus_message* reply, const engine::BudgetEntry& entry) {
    appendEntry(reply, "Limit", std::string(toString(entry.bucket.kind)));
    appendEntry(reply, "Subject", entry.bucket.subject);
    appendEntry(reply, "Account", entry.bucket.account);
    appendEntry(reply, "Count", std::int64_t{entry.limit.count});
    appendEntry(reply, "WindowSeconds", std::int64_t{entry.limit.window.count()});
    appendEntry(reply, "Used", std::int64_t{entry.used});
    appendEntry(reply, "Reserve", std::int64_t{entry.limit.reserve});
    appendEntry(reply, "NextAllowed", entry.next.value_or(TimePoint()));
    appendEntry(reply, "Planned", std::int64_t{entry.forecast.planned});
    appendEntry(reply, "UsedUpFrom", entry.forecast.usedUpFrom.value_or(TimePoint()));
}

void appendPause(sd_bus_message* reply, const CaPause& pause) {
    appendEntry(reply, "Subject", pause.subject);
    appendEntry(reply, "Until", pause.until);
    appendEntry(reply, "Reason", pause.reason);
    appendEntry(reply, "Url", pause.url);
}

void appendBudget(sd_bus_message* reply, const engine::CaBudget& budget) {
    appendEntry(reply, "Name", budget.ca);
    appendEntry(reply, "ForTests", budget.forTests);
    appendEntry(reply, "LimitsKnown", budget.limitsKnown);
    appendEntry(reply, "ForecastUntil", budget.forecastUntil);
    appendEntry(reply, "Buckets", budget.entries, appendBucket);
    appendEntry(reply, "Pauses", budget.pauses, appendPause);
}

void replyBudgets(sd_bus_message* call, const engine::Budgets& found) {
    if (found.failure) throw *found.failure;
    replyDictionaries(call, found.cas, appendBudget);
}

void appendFinding(sd_bus_message* reply, const engine::PreflightEntry& entry) {
    appendEntry(reply, "Name", entry.name);
    appendEntry(reply, "Ca", entry.ca);
    appendEntry(reply, "Check", std::string(toString(entry.finding.check)));
    appendEntry(reply, "Finding", std::string(toString(entry.finding.verdict)));
    appendEntry(reply, "Sentence", entry.finding.words);
}

void replyFindings(sd_bus_message* call, const engine::Preflight& found) {
    if (found.failure) throw *found.failure;
    replyDictionaries(call, found.entries, appendFinding);
}

void appendRecord(sd_bus_message* reply, const engine::PersistRecordEntry& entry) {
    appendEntry(reply, "Ca", entry.ca);
    appendEntry(reply, "ForTests", entry.forTests);
    appendEntry(reply, "Account", entry.account);
    appendEntry(reply, "Owner", entry.owner);
    appendEntry(reply, "Record", entry.record);
    appendEntry(reply, "ZoneLine", entry.line);
    appendEntry(reply, "There", entry.there);
    appendEntry(reply, "Sentence", entry.sentence);
}

void replyRecords(sd_bus_message* call, const engine::PersistRecords& records) {
    if (records.failure) throw *records.failure;
    replyDictionaries(call, records.entries, appendRecord);
}

engine::PersistRecordCommand readPersistCommand(sd_bus_message* call) {
    engine::PersistRecordCommand command;
    command.name = readText(call);
    std::uint32_t until = 0;
    readOptions(call, {{"ca", &command.ca}, {"wildcard", &command.wildcard}, {"until", &until}});
    if (until != 0) command.until = TimePoint(seconds(until));
    return command;
}

}  // namespace

AcmeManager::AcmeManager(sd_bus* bus, Authorizer& authorizer, engine::AcmeCommands& commands)
    : authorizer_(authorizer),
      commands_(commands),
      slot_(addInterface(bus, acmeInterface, acmeVtable, this)) {}

void AcmeManager::listAccounts(sd_bus_message* call) {
    authorizer_.authorize(call, viewAction,
                          [this, call] { replyDictionaries(call, commands_.accounts(), appendAccount); });
}

void AcmeManager::getBudget(sd_bus_message* call) {
    const std::shared_ptr<sd_bus_message> kept(sd_bus_message_ref(call), sd_bus_message_unref);
    authorizer_.authorize(call, viewAction, [this, kept] {
        commands_.budget([kept](const engine::Budgets& found) {
            replyWithErrors(kept.get(), [&] { replyBudgets(kept.get(), found); });
        });
    });
}

void AcmeManager::changeAccountKey(sd_bus_message* call) {
    replyWithJob(call, authorizer_, manageAction,
                 [this, call] { return commands_.changeAccountKey(readText(call)); });
}

void AcmeManager::deactivateAccount(sd_bus_message* call) {
    replyWithJob(call, authorizer_, manageAction,
                 [this, call] { return commands_.deactivateAccount(readText(call)); });
}

void AcmeManager::revoke(sd_bus_message* call) {
    replyWithJob(call, authorizer_, manageAction, [this, call] {
        const std::string certificate = idOf(certificatePath, readPath(call));
        engine::CaRevocationCommand command;
        command.reason = readText(call);
        readOptions(call,
                    {{"serial", &command.serial}, {"dry-run", &command.dryRun}, {"now", &command.atOnce}});
        return commands_.revokeAtCa(certificate, command);
    });
}

// It changes nothing, but it makes the box ask name servers for whatever names the caller likes.
void AcmeManager::preflight(sd_bus_message* call) {
    const std::shared_ptr<sd_bus_message> kept(sd_bus_message_ref(call), sd_bus_message_unref);
    authorizer_.authorize(call, manageAction, [this, kept] {
        commands_.preflight(readTexts(kept.get()), [kept](const engine::Preflight& found) {
            replyWithErrors(kept.get(), [&] { replyFindings(kept.get(), found); });
        });
    });
}

// As the preflight, with which it shares the reason for its right.
void AcmeManager::persistRecords(sd_bus_message* call) {
    const std::shared_ptr<sd_bus_message> kept(sd_bus_message_ref(call), sd_bus_message_unref);
    authorizer_.authorize(call, manageAction, [this, kept] {
        commands_.persistRecords(readPersistCommand(kept.get()), [kept](const engine::PersistRecords& found) {
            replyWithErrors(kept.get(), [&] { replyRecords(kept.get(), found); });
        });
    });
}

}  // namespace certmgr::bus
