// org.certmgr1.BackupManager.
#include <system_error>

#include "certmgr/ctl/client.h"
#include "certmgr/ctl/failure.h"

namespace certmgr::ctl {
namespace {

constexpr char backupManager[] = "org.certmgr1.BackupManager";

void requireTaken(int result) {
    if (result < 0)
        throw Failure(ExitStatus::refused,
                      "a call cannot be made of this: " + std::generic_category().message(-result));
}

}  // namespace

std::string Client::backup(int passphrase, int output) {
    const Message message = newCall("/org/certmgr1", backupManager, "Backup");
    requireTaken(sd_bus_message_append(message.get(), "hh", passphrase, output));
    return startJob(message);
}

std::string Client::restore(int content, int passphrase, bool dryRun) {
    const Message message = newCall("/org/certmgr1", backupManager, "Restore");
    requireTaken(sd_bus_message_append(message.get(), "hhb", content, passphrase, dryRun ? 1 : 0));
    return startJob(message);
}

}  // namespace certmgr::ctl
