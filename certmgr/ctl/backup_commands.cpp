#include "certmgr/ctl/backup_commands.h"

#include <cerrno>
#include <ostream>
#include <system_error>

#include <fcntl.h>

#include "certmgr/ctl/failure.h"
#include "certmgr/ctl/output_file.h"
#include "certmgr/ctl/passphrase_source.h"

namespace certmgr::ctl {
namespace {

void makeBackup(Client& client, const Terminal& terminal, const BackupArguments& arguments) {
    OutputFile output(arguments.file);
    const hal::UniqueFd passphrase =
        arguments.passphraseFd < 0 ? askNewPassphrase() : passphraseFrom(arguments.passphraseFd);
    finish(client, terminal, client.backup(passphrase.get(), output.fd()), {});
    output.keep(terminal.out);
}

void restoreBackup(Client& client, const Terminal& terminal, const BackupArguments& arguments) {
    const hal::UniqueFd content(::open(arguments.file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!content)
        throw Failure(ExitStatus::refused, arguments.file + ": " + std::generic_category().message(errno));
    const hal::UniqueFd passphrase =
        arguments.passphraseFd < 0 ? askPassphrase() : passphraseFrom(arguments.passphraseFd);
    finish(client, terminal, client.restore(content.get(), passphrase.get(), arguments.dryRun), {});
}

}  // namespace

void addBackupCommands(CLI::App& app, BackupArguments& a, const AddCommand& add) {
    CLI::App* backup = add(app, "backup", "Write the whole state, with the file keys, into an encrypted file",
                           [&a](auto& client, auto& terminal) { makeBackup(client, terminal, a); });
    backup->add_option("-o,--output", a.file, "New file, of mode 0600")->required();
    backup->add_option("--passphrase-fd", a.passphraseFd, "Descriptor whose first line is the passphrase")
        ->check(CLI::NonNegativeNumber);
    CLI::App* restore =
        add(app, "restore", "Take the state of a backup in the place of the one that is there",
            [&a](auto& client, auto& terminal) { restoreBackup(client, terminal, a); });
    restore->add_option("FILE", a.file, "What certmgrctl backup wrote, here or on another box")->required();
    restore->add_option("--passphrase-fd", a.passphraseFd, "Descriptor whose first line is the passphrase")
        ->check(CLI::NonNegativeNumber);
    restore->add_flag("--dry-run", a.dryRun, "All checks and the report, no change");
}

}  // namespace certmgr::ctl
