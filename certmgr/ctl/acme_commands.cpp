#include "certmgr/ctl/acme_commands.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <set>

#include "certmgr/ctl/failure.h"
#include "certmgr/ctl/lookup.h"
#include "certmgr/ctl/output.h"

namespace certmgr::ctl {
namespace {

void listAccounts(Client& client, const Terminal& terminal) {
    const Json accounts = client.acmeAccounts();
    terminal.out << (terminal.json ? dumped(accounts) + '\n' : accountTable(accounts));
}

struct BudgetArguments {
    std::string ca;
    bool all = false;
};

void showBudget(Client& client, const Terminal& terminal, const BudgetArguments& arguments) {
    Json budgets = client.acmeBudgets();
    if (!arguments.ca.empty()) {
        Json one = Json::array();
        for (Json& budget : budgets)
            if (budget.value("Name", "") == arguments.ca) one.push_back(std::move(budget));
        if (one.empty())
            throw Failure(ExitStatus::refused, "there is no CA \"" + arguments.ca +
                                                   "\" in the settings; see certmgrctl acme list");
        budgets = std::move(one);
    }
    terminal.out << (terminal.json ? dumped(budgets) + '\n' : budgetText(budgets, arguments.all, now()));
}

void addBudget(CLI::App& acme, const AddCommand& add) {
    auto arguments = std::make_shared<BudgetArguments>();
    CLI::App* budget = add(acme, "budget", "Show what is used of the CAs' limits, and what will be",
                           [arguments](auto& c, auto& t) { showBudget(c, t, *arguments); });
    budget->add_option("--ca", arguments->ca, "Of this CA alone; its name, as acme list shows it");
    budget->add_flag("--all", arguments->all, "Those with room too; JSON always has them");
}

struct RevokeArguments {
    std::string certificate;
    CaRevocationOptions options;
};

void revokeAtCa(Client& client, const Terminal& terminal, const RevokeArguments& arguments) {
    if (arguments.options.reason.empty() && (!arguments.options.atOnce || !arguments.options.serial.empty()))
        throw Failure(ExitStatus::usage, "--reason is required, but for --now of what is due already");
    const std::string id = findCertificate(client.objects(Kind::certificate), arguments.certificate);
    finish(client, terminal, client.revokeAtCa(id, arguments.options), {});
}

void preflight(Client& client, const Terminal& terminal, const std::vector<std::string>& names) {
    const Json findings = client.preflight(names);
    terminal.out << (terminal.json ? dumped(findings) + '\n' : preflightText(findings));
    std::set<std::string> blocked;
    for (const Json& finding : findings)
        if (finding.value("Finding", "") == "blocked") blocked.insert(finding.value("Name", ""));
    if (blocked.empty()) return;
    std::string list;
    for (const std::string& name : blocked) list += (list.empty() ? "" : ", ") + name;
    throw Failure(ExitStatus::failed, "an attempt would fail: " + list);
}

void addPreflight(CLI::App& acme, const AddCommand& add) {
    auto names = std::make_shared<std::vector<std::string>>();
    add(acme, "preflight", "Say what would make a CA refuse names; no CA is asked",
        [names](auto& client, auto& terminal) { preflight(client, terminal, *names); })
        ->add_option("NAME", *names, "DNS names or IP addresses, of this box's certificates or others")
        ->required();
}

struct PersistRecordArguments {
    PersistRecordOptions options;
    std::string until;
};

void persistRecord(Client& client, const Terminal& terminal, const PersistRecordArguments& arguments) {
    PersistRecordOptions options = arguments.options;
    if (!arguments.until.empty()) {
        const std::optional<std::uint32_t> until = timeFrom(arguments.until);
        if (!until)
            throw Failure(ExitStatus::usage, "found \"" + arguments.until +
                                                 "\", expected a date (2027-12-31) or a time "
                                                 "(2027-12-31T12:00:00Z) before 2106");
        options.until = *until;
    }
    const Json records = client.persistRecords(options);
    terminal.out << (terminal.json ? dumped(records) + '\n' : persistRecordText(records));
    const bool any = std::ranges::any_of(
        records, [](const Json& record) { return !record.value("ZoneLine", "").empty(); });
    if (!any)
        throw Failure(ExitStatus::failed,
                      records.empty() ? "there are no CAs: see [[acme.ca]] in certmgr.toml(5)"
                                      : "no record can be made for any of them: the reasons stand above");
}

void addPersistRecord(CLI::App& acme, const AddCommand& add) {
    auto arguments = std::make_shared<PersistRecordArguments>();
    CLI::App* command = add(
        acme, "persist-record", "Print the record that proves a name by dns-persist-01, and what is there",
        [arguments](auto& client, auto& terminal) { persistRecord(client, terminal, *arguments); });
    command->add_option("NAME", arguments->options.name, "A DNS name")->required();
    command->add_option("--ca", arguments->options.ca,
                        "Only of this CA; otherwise of each that has an account");
    command->add_flag("--wildcard", arguments->options.wildcard, "For wildcards and the names below it too");
    command->add_option("--until", arguments->until,
                        "When the record is to end: 2027-12-31 or 2027-12-31T12:00:00Z; otherwise never");
}

void addRevoke(CLI::App& acme, const AddCommand& add) {
    auto arguments = std::make_shared<RevokeArguments>();
    CLI::App* revoke = add(acme, "revoke", "Revoke a certificate at the CA, after another took its place",
                           [arguments](auto& c, auto& t) { revokeAtCa(c, t, *arguments); });
    revoke->add_option("CERTIFICATE", arguments->certificate, "Its id or one of its names")->required();
    revoke->add_option("--reason", arguments->options.reason,
                       "unspecified, key-compromise, affiliation-changed, superseded or "
                       "cessation-of-operation");
    revoke->add_option("--serial", arguments->options.serial, "One that was in force before");
    revoke->add_flag("--now", arguments->options.atOnce,
                     "Wait for no service; without a reason: of what is due already");
    revoke->add_flag("--dry-run", arguments->options.dryRun, "Say what would happen, and change nothing");
}

}  // namespace

void addAcmeCommands(CLI::App& app, AcmeArguments& a, const AddCommand& add) {
    CLI::App* acme =
        app.add_subcommand("acme", "The CAs on the net and the accounts there")->require_subcommand(1);
    add(*acme, "list", "List the CAs in the order in which they are asked, with the accounts", listAccounts);
    add(*acme, "rollover", "Give the account at a CA another key",
        [&a](auto& client, auto& terminal) { finish(client, terminal, client.changeAccountKey(a.ca), {}); })
        ->add_option("CA", a.ca, "Its name, as acme list shows it")
        ->required();
    add(*acme, "deactivate", "Give up the account at a CA, for ever; certificates in use stay",
        [&a](auto& client, auto& terminal) { finish(client, terminal, client.deactivateAccount(a.ca), {}); })
        ->add_option("CA", a.ca, "Its name, as acme list shows it")
        ->required();
    addBudget(*acme, add);
    addRevoke(*acme, add);
    addPreflight(*acme, add);
    addPersistRecord(*acme, add);
}

}  // namespace certmgr::ctl
