// What the bus may ask of backups. Called on the main thread; nothing here blocks.
#pragma once

#include <string>

#include <sys/types.h>

#include "hal/handle.h"

namespace certmgr::engine {

struct BackupCommand {
    hal::UniqueFd passphrase;  // at most 1 KiB, a line end behind it left out
    hal::UniqueFd output;      // a file, pipe or memfd
    uid_t user = 0;            // who asked, for the journal
};

struct RestoreCommand {
    hal::UniqueFd content;  // a regular file or memfd
    hal::UniqueFd passphrase;
    bool dryRun = false;  // all checks and the report, no change
    uid_t user = 0;
};

// Implementations: Engine and the bus tests' fake. As in Commands.
class BackupCommands {
  public:
    virtual ~BackupCommands() = default;

    // The whole state and the file keys, into `output`. The result says what is not in it, being bound to the
    // TPM.
    virtual std::string backup(BackupCommand command) = 0;
    // In the place of the state that is there, whole or not at all; certmgrd begins anew when the job is
    // done. The result says what will be made anew.
    virtual std::string restore(RestoreCommand command) = 0;
};

}  // namespace certmgr::engine
