#include "certmgr/bus/backup_manager.h"

#include "certmgr/bus/authority_arguments.h"
#include "certmgr/bus/errors.h"
#include "certmgr/bus/names.h"

namespace certmgr::bus {
namespace {

template <void (BackupManager::*handler)(sd_bus_message*)>
int backupMethod(sd_bus_message* call, void* manager, sd_bus_error*) {
    replyWithErrors(call, [&] { (static_cast<BackupManager*>(manager)->*handler)(call); });
    return 1;
}

// Without the flag sd-bus itself would refuse whoever is not root; here every handler asks polkit.
constexpr sd_bus_vtable backupMethods[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Backup", SD_BUS_ARGS("h", passphrase, "h", output), SD_BUS_RESULT("o", job),
                            backupMethod<&BackupManager::backup>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Restore", SD_BUS_ARGS("h", content, "h", passphrase, "b", dry_run),
                            SD_BUS_RESULT("o", job), backupMethod<&BackupManager::restore>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END};

}  // namespace

BackupManager::BackupManager(sd_bus* bus, Authorizer& authorizer, engine::BackupCommands& commands)
    : authorizer_(authorizer), commands_(commands) {
    sd_bus_slot* slot = nullptr;
    check(sd_bus_add_object_vtable(bus, &slot, rootPath, backupManagerInterface, backupMethods, this),
          "sd_bus_add_object_vtable");
    slot_.reset(slot);
}

void BackupManager::backup(sd_bus_message* call) {
    follow(call, [this, call] {
        engine::BackupCommand command;
        command.passphrase = readDescriptor(call, Direction::in);
        command.output = readDescriptor(call, Direction::out);
        command.user = senderOf(call);
        return commands_.backup(std::move(command));
    });
}

void BackupManager::restore(sd_bus_message* call) {
    follow(call, [this, call] {
        engine::RestoreCommand command;
        command.content = readDescriptor(call, Direction::in);
        command.passphrase = readDescriptor(call, Direction::in);
        int dryRun = 0;
        check(sd_bus_message_read(call, "b", &dryRun), "sd_bus_message_read");
        command.dryRun = dryRun != 0;
        command.user = senderOf(call);
        return commands_.restore(std::move(command));
    });
}

void BackupManager::follow(sd_bus_message* call, std::function<std::string()> command) {
    authorizer_.authorize(call, backupAction, [call, command = std::move(command)] {
        check(sd_bus_reply_method_return(call, "o", pathOf(jobPath, command()).c_str()),
              "sd_bus_reply_method_return");
    });
}

}  // namespace certmgr::bus
