// org.certmgr1.Acme.
#include <system_error>

#include "certmgr/ctl/client.h"
#include "certmgr/ctl/failure.h"

namespace certmgr::ctl {
namespace {

constexpr char acme[] = "org.certmgr1.Acme";

void requireMade(int result) {
    if (result < 0)
        throw Failure(ExitStatus::refused,
                      "a call cannot be made of this: " + std::generic_category().message(-result));
}

}  // namespace

Json Client::acmeAccounts() {
    return readValue(call(newCall("/org/certmgr1", acme, "ListAccounts")).get());
}

Json Client::acmeBudgets() {
    return readValue(call(newCall("/org/certmgr1", acme, "GetBudget")).get());
}

std::string Client::changeAccountKey(const std::string& ca) {
    return callWithCa("ChangeAccountKey", ca);
}

std::string Client::deactivateAccount(const std::string& ca) {
    return callWithCa("DeactivateAccount", ca);
}

std::string Client::callWithCa(const char* member, const std::string& ca) {
    const Message message = newCall("/org/certmgr1", acme, member);
    requireMade(sd_bus_message_append(message.get(), "s", ca.c_str()));
    return startJob(message);
}

Json Client::preflight(const std::vector<std::string>& names) {
    const Message message = newCall("/org/certmgr1", acme, "Preflight");
    appendTexts(message, names);
    return readValue(call(message).get());
}

Json Client::persistRecords(const PersistRecordOptions& options) {
    const Message message = newCall("/org/certmgr1", acme, "PersistRecords");
    sd_bus_message* m = message.get();
    requireMade(sd_bus_message_append(m, "s", options.name.c_str()));
    requireMade(sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}"));
    if (!options.ca.empty()) requireMade(sd_bus_message_append(m, "{sv}", "ca", "s", options.ca.c_str()));
    if (options.wildcard) requireMade(sd_bus_message_append(m, "{sv}", "wildcard", "b", 1));
    if (options.until != 0) requireMade(sd_bus_message_append(m, "{sv}", "until", "u", options.until));
    requireMade(sd_bus_message_close_container(m));
    return readValue(call(message).get());
}

std::string Client::revokeAtCa(const std::string& certificate, const CaRevocationOptions& options) {
    const Message message = newCall("/org/certmgr1", acme, "Revoke");
    sd_bus_message* m = message.get();
    requireMade(sd_bus_message_append(m, "os", objectPath(Kind::certificate, certificate).c_str(),
                                      options.reason.c_str()));
    requireMade(sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}"));
    if (!options.serial.empty())
        requireMade(sd_bus_message_append(m, "{sv}", "serial", "s", options.serial.c_str()));
    if (options.dryRun) requireMade(sd_bus_message_append(m, "{sv}", "dry-run", "b", 1));
    if (options.atOnce) requireMade(sd_bus_message_append(m, "{sv}", "now", "b", 1));
    requireMade(sd_bus_message_close_container(m));
    return startJob(message);
}

}  // namespace certmgr::ctl
