#include "certmgr/ctl/acme_commands.h"

#include <ostream>

namespace certmgr::ctl {
namespace {

void listAccounts(Client& client, const Terminal& terminal) {
    const Json accounts = client.acmeAccounts();
    terminal.out << (terminal.json ? dumped(accounts) + '\n' : accountTable(accounts));
}

}  // namespace

void addAcmeCommands(CLI::App& app, const AddCommand& add) {
    CLI::App* acme =
        app.add_subcommand("acme", "The CAs on the net and the accounts there")->require_subcommand(1);
    add(*acme, "list", "List the CAs in the order in which they are asked, with the accounts", listAccounts);
}

}  // namespace certmgr::ctl
