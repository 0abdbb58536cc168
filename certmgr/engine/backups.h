// The state of the box into a file, and back, on this box or another.
#pragma once

#include <filesystem>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>

#include "certmgr/engine/backup_archive.h"
#include "certmgr/engine/backup_commands.h"
#include "certmgr/engine/key_ring.h"

namespace certmgr::engine {

// Thread-safe; one backup or restore at a time, the others wait for it.
//
// In a backup: the database with all of its history, and every key that is in a file, wrapped by the key
// store itself: no private key is ever in the clear here. Not in it: keys in the TPM or sealed by it, which
// nothing else can open. Where it is restored their owners find them lost, as after a cleared TPM, and get
// new ones; both the backup and the restore say which.
class Backups {
  public:
    Backups(KeyRing& keys, Records& records, const Clock& clock, std::filesystem::path stateDirectory,
            EventLog& log)
        : keys_(keys),
          records_(records),
          clock_(clock),
          stateDirectory_(std::move(stateDirectory)),
          log_(log) {}

    // Away with what a crash left half done. Only while nothing else runs.
    void clearAway();

    // Both return what is to be said of it, and throw the errors of BackupReader, BackupWriter and KeyStore.
    std::string write(const BackupCommand& command, const std::stop_token& stop);
    // Unless it is a dry run, the restored state counts from the next start on: see store/restoration.h.
    std::string restore(const RestoreCommand& command, const std::stop_token& stop);

  private:
    std::string boxId();
    struct Written {
        std::set<KeyId> keys;
        std::set<KeyId> damaged;  // and so left out
    };
    Written writeTo(const BackupCommand& command, std::string_view passphrase, const std::stop_token& stop);
    Written writeKeys(ArchiveWriter& archive, std::span<const std::uint8_t> wrappingKey);
    bool isHere(const KeyId& id);
    void takeKeys(const BackupContent& content, std::span<const std::uint8_t> wrappingKey);
    void intendKeys(const BackupContent& content);
    std::filesystem::path unfinished() const { return stateDirectory_ / "restored.new"; }
    std::filesystem::path snapshot() const { return stateDirectory_ / "backup.new"; }

    KeyRing& keys_;
    Records& records_;
    const Clock& clock_;
    const std::filesystem::path stateDirectory_;
    EventLog& log_;
    std::mutex running_;
};

}  // namespace certmgr::engine
