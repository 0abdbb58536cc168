#include "certmgr/engine/backups.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certmgr/crypto/backup_container.h"
#include "certmgr/engine/missing_keys.h"
#include "certmgr/engine/output_writer.h"
#include "certmgr/engine/upload_reader.h"
#include "certmgr/store/restoration.h"
#include "hal/file.h"

namespace certmgr::engine {
namespace {

constexpr const char* boxIdFact = "box-id";
constexpr const char* intendedByRestore = "restore";

std::size_t readUpTo(int fd, std::span<char> content, const std::stop_token& stop) {
    std::size_t got = 0;
    while (got < content.size()) {
        if (stop.stop_requested())
            throw Error(ErrorKind::transient, "cancelled", "certmgrd was stopped before the backup was read");
        const ssize_t count = ::read(fd, content.data() + got, content.size() - got);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) hal::throwErrno(errno, "the backup");
        if (count == 0) break;
        got += static_cast<std::size_t>(count);
    }
    return got;
}

void requireFile(const hal::UniqueFd& fd) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) hal::throwErrno(errno, "the backup");
    if (!S_ISREG(status.st_mode))
        throw Error(ErrorKind::rejected, "bad-descriptor", "the backup is not a regular file: expected one");
}

std::string hostName() {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    return name.data();
}

std::string lines(const std::string& title, const std::vector<std::string>& items) {
    std::string text = items.empty() ? "" : "\n" + title;
    for (const std::string& item : items) text += "\n- " + item;
    return text;
}

// Goes again however the work on it ends.
struct Scratch {
    std::filesystem::path path;
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};

std::string titleOf(const BackupManifest& manifest) {
    return "the backup of " + manifest.hostName + " (box " + manifest.box + ") of " +
           formatTime(manifest.made);
}

void requireNonePending(const std::filesystem::path& stateDirectory) {
    if (std::filesystem::exists(store::pendingRestore(stateDirectory)))
        throw Error(ErrorKind::rejected, "restore-pending",
                    "another backup is restored already and waits for certmgrd to begin anew, which it does "
                    "now; try again after that");
}

// Whether it has authorities that the state here has not: what they revoked since is on record nowhere.
bool revocationsAreLost(Records& here, const std::filesystem::path& database) {
    store::Database opened(database);
    const std::vector<AuthorityRecord> known = here.authorities.list();
    return !std::ranges::all_of(store::AuthorityRepository(opened).list(), [&](const AuthorityRecord& its) {
        return std::ranges::find(known, its.summary.sha256, [](const AuthorityRecord& record) {
                   return record.summary.sha256;
               }) != known.end();
    });
}

}  // namespace

void Backups::clearAway() {
    std::filesystem::remove_all(unfinished());
    std::filesystem::remove(snapshot());
}

// Kept with the state, so that it goes on in the box that the state is restored on.
std::string Backups::boxId() {
    if (const auto known = records_.meta.get(boxIdFact)) return *known;
    const std::string fresh = KeyId::fresh().text();
    records_.meta.set(boxIdFact, fresh);
    return fresh;
}

std::string Backups::write(const BackupCommand& command, const std::stop_token& stop) {
    const crypto::SecretText passphrase = readPassphrase(command.passphrase, stop);
    const std::lock_guard lock(running_);
    const Written written = writeTo(command, passphrase.view(), stop);
    log_.write({Severity::notice,
                event_id::backupMade,
                "a backup was made for user " + std::to_string(command.user),
                {{"CERTMGR_USER", std::to_string(command.user)}}});
    const auto isDamaged = [&](const KeyId& id) { return written.damaged.contains(id); };
    const auto isBound = [&](const KeyId& id) { return !written.keys.contains(id) && !isDamaged(id); };
    return "the backup is made, with " + std::to_string(written.keys.size()) + " keys" +
           lines("bound to the TPM of this box, to be made anew where the backup is restored:",
                 missingKeys(records_, isBound)) +
           lines("left out, being damaged, to be made anew there too:", missingKeys(records_, isDamaged));
}

Backups::Written Backups::writeKeys(ArchiveWriter& archive, std::span<const std::uint8_t> wrappingKey) {
    Written written;
    for (const store::KeyRow& row : records_.keys.list()) {
        try {
            if (row.backend != toString(hal::KeyBackend::file) || !keys_.store().find(row.id)) continue;
            archive.key(row.id, keys_.store().exportWrapped(row.id, wrappingKey));
            written.keys.insert(row.id);
        } catch (const Error& error) {
            if (error.code() != "key-damaged") throw;
            written.damaged.insert(row.id);
        }
    }
    return written;
}

Backups::Written Backups::writeTo(const BackupCommand& command, std::string_view passphrase,
                                  const std::stop_token& stop) {
    const Scratch copy{snapshot()};
    const BackupManifest manifest{boxId(), hostName(), clock_.now()};
    crypto::BackupWriter file(passphrase,
                              [&](std::string_view content) { writeOutput(command.output, content); });
    ArchiveWriter archive([&](std::string_view content) { file.write(content); });
    archive.manifest(manifest);
    // First the copy, then the keys: a key that is made in between is not missed by anything in the copy.
    store::copyTo(records_.database, copy.path);
    Written written = writeKeys(archive, file.wrappingKey());
    const hal::UniqueFd database(::open(copy.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!database) hal::throwErrno(errno, copy.path.string());
    archive.database(std::filesystem::file_size(copy.path),
                     [&](std::span<char> piece) { readUpTo(database.get(), piece, stop); });
    archive.end();
    file.finish();
    return written;
}

std::string Backups::restore(const RestoreCommand& command, const std::stop_token& stop) {
    requireFile(command.content);
    const crypto::SecretText passphrase = readPassphrase(command.passphrase, stop);
    const std::lock_guard lock(running_);
    if (!command.dryRun) requireNonePending(stateDirectory_);
    const Scratch scratch{unfinished()};
    std::filesystem::remove_all(scratch.path);
    if (::mkdir(scratch.path.c_str(), 0700) != 0) hal::throwErrno(errno, scratch.path.string());
    const std::filesystem::path file = scratch.path / "certmgr.db";
    const hal::UniqueFd database(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!database) hal::throwErrno(errno, file.string());

    crypto::BackupReader reader(passphrase.view(), [&](std::span<char> content) {
        return readUpTo(command.content.get(), content, stop);
    });
    const BackupContent content =
        readArchive([&](std::span<char> part) { reader.read(part); },
                    [&](std::string_view part) {
                        if (const int error = hal::writeAll(database.get(), part); error != 0)
                            hal::throwErrno(error, file.string());
                    });
    reader.requireEnd();
    if (::fsync(database.get()) != 0) hal::throwErrno(errno, file.string());
    const auto isMissing = [&](const KeyId& id) { return !content.keys.contains(id) && !isHere(id); };
    std::string notes =
        lines("made anew, being bound to the TPM of the box before:", missingKeysOf(file, isMissing));
    if (revocationsAreLost(records_, file))
        notes += "\nthis box does not know what its CA revoked after the backup was made: revoke that again";
    if (command.dryRun) return titleOf(content.manifest) + " is whole and could be restored" + notes;

    takeKeys(content, reader.wrappingKey());
    hal::syncPath(scratch.path);
    std::filesystem::rename(scratch.path, store::pendingRestore(stateDirectory_));
    hal::syncPath(stateDirectory_);
    log_.write({Severity::notice,
                event_id::backupRestored,
                titleOf(content.manifest) + " is restored for user " + std::to_string(command.user) + notes,
                {{"CERTMGR_USER", std::to_string(command.user)}, {"CERTMGR_BOX", content.manifest.box}}});
    return titleOf(content.manifest) + " is restored" + notes;
}

// A key of the TPM of this very box needs no backup.
bool Backups::isHere(const KeyId& id) {
    try {
        return keys_.store().find(id).has_value();
    } catch (const Error& error) {
        if (error.code() != "key-damaged") throw;
        return false;
    }
}

// On record first: after a crash before the restored state counts, the next start finds keys that belong to
// nothing and destroys them.
void Backups::intendKeys(const BackupContent& content) {
    records_.database.transaction([&] {
        for (const auto& [id, wrapped] : content.keys)
            if (!records_.keys.find(id)) records_.keys.intend(id, intendedByRestore);
    });
}

void Backups::takeKeys(const BackupContent& content, std::span<const std::uint8_t> wrappingKey) {
    intendKeys(content);
    try {
        for (const auto& [id, wrapped] : content.keys) keys_.store().importWrapped(id, wrappingKey, wrapped);
    } catch (const Error&) {
        for (const auto& [id, wrapped] : content.keys)
            if (const auto row = records_.keys.find(id); row && row->purpose == intendedByRestore)
                keys_.discard(id);
        throw;
    }
}

}  // namespace certmgr::engine
