#include "certmgr/ctl/acme_commands.h"

#include <ostream>

namespace certmgr::ctl {
namespace {

void listAccounts(Client& client, const Terminal& terminal) {
    const Json accounts = client.acmeAccounts();
    terminal.out << (terminal.json ? dumped(accounts) + '\n' : accountTable(accounts));
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
}

}  // namespace certmgr::ctl
