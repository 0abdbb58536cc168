#include "certmgr/bus/backup_manager.h"

#include "certmgr/bus/arguments.h"
#include "certmgr/bus/methods.h"
#include "certmgr/bus/names.h"

namespace certmgr::bus {
namespace {

constexpr sd_bus_vtable backupManagerVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Backup", SD_BUS_ARGS("h", passphrase, "h", output), SD_BUS_RESULT("o", job),
                            method<&BackupManager::backup>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Restore", SD_BUS_ARGS("h", content, "h", passphrase, "b", dry_run),
                            SD_BUS_RESULT("o", job), method<&BackupManager::restore>, anyone),
    SD_BUS_VTABLE_END};

}  // namespace

BackupManager::BackupManager(sd_bus* bus, Authorizer& authorizer, engine::BackupCommands& commands)
    : authorizer_(authorizer),
      commands_(commands),
      slot_(addInterface(bus, backupManagerInterface, backupManagerVtable, this)) {}

void BackupManager::backup(sd_bus_message* call) {
    replyWithJob(call, authorizer_, backupAction, [this, call] {
        engine::BackupCommand command;
        command.passphrase = readDescriptor(call, Direction::in);
        command.output = readDescriptor(call, Direction::out);
        command.user = senderOf(call);
        return commands_.backup(std::move(command));
    });
}

void BackupManager::restore(sd_bus_message* call) {
    replyWithJob(call, authorizer_, backupAction, [this, call] {
        engine::RestoreCommand command;
        command.content = readDescriptor(call, Direction::in);
        command.passphrase = readDescriptor(call, Direction::in);
        command.dryRun = readBoolean(call);
        command.user = senderOf(call);
        return commands_.restore(std::move(command));
    });
}

}  // namespace certmgr::bus
