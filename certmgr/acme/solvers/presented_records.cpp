#include "certmgr/acme/solvers/presented_records.h"

#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certmgr/core/error.h"
#include "certmgr/crypto/digest.h"
#include "hal/file.h"
#include "hal/handle.h"

namespace certmgr::acme {
namespace {

namespace fs = std::filesystem;

constexpr const char* endedSuffix = ".ended";

// A token is for nobody's eyes but the CA's, and names of any length have to fit.
std::string nameFor(const Proof& proof) {
    return crypto::sha256Hex(proof.identifier.value + "\n" + proof.token);
}

void require(bool done, const fs::path& path) {
    if (!done) hal::throwErrno(errno, path.string());
}

void writeDurably(const fs::path& file, const std::string& content) {
    const fs::path unfinished = file.string() + ".new";
    const hal::UniqueFd fd(
        ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    require(static_cast<bool>(fd), unfinished);
    if (const int failed = hal::writeAll(fd.get(), content)) hal::throwErrno(failed, unfinished.string());
    require(::fsync(fd.get()) == 0, unfinished);
    require(::rename(unfinished.c_str(), file.c_str()) == 0, file);
    const hal::UniqueFd directory(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    require(directory && ::fsync(directory.get()) == 0, file.parent_path());
}

std::optional<ProofRecord> read(const fs::path& file) {
    std::ifstream stream(file);
    ProofRecord found;
    auto& [record, token] = found;
    if (!std::getline(stream, record.zone) || !std::getline(stream, record.owner) ||
        !std::getline(stream, record.text))
        return std::nullopt;
    std::getline(stream, token);
    return found;
}

}  // namespace

void PresentedRecords::add(const Proof& proof, const ProofRecord& added) const {
    require(::mkdir(directory_.c_str(), 0700) == 0 || errno == EEXIST, directory_);
    const auto& [record, token] = added;
    writeDurably(directory_ / nameFor(proof),
                 record.zone + "\n" + record.owner + "\n" + record.text + "\n" + token + "\n");
    forget(proof);
}

std::optional<ProofRecord> PresentedRecords::find(const Proof& proof) const {
    return read(directory_ / nameFor(proof));
}

void PresentedRecords::end(const Proof& proof) const {
    const fs::path file = directory_ / nameFor(proof);
    require(::rename(file.c_str(), (file.string() + endedSuffix).c_str()) == 0 || errno == ENOENT, file);
}

void PresentedRecords::forget(const Proof& proof) const {
    const fs::path file = directory_ / (nameFor(proof) + endedSuffix);
    require(::unlink(file.c_str()) == 0 || errno == ENOENT, file);
}

bool PresentedRecords::anyAt(const std::string& owner, fs::file_time_type oldest) const {
    std::error_code unreadable;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_, unreadable)) {
        std::error_code gone;
        const bool inUse = entry.last_write_time(gone) >= oldest && !gone && !entry.path().has_extension();
        if (!inUse) continue;
        if (const auto record = read(entry.path()); record && record->record.owner == owner) return true;
    }
    return false;
}

std::vector<PresentedRecords::Left> PresentedRecords::left(fs::file_time_type oldest) const {
    std::vector<Left> found;
    std::error_code unreadable;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_, unreadable)) {
        std::error_code gone;  // by another order that ended meanwhile
        const fs::file_time_type since = entry.last_write_time(gone);
        const bool old = since < oldest && !gone;
        if (!old && entry.path().extension() != endedSuffix) continue;
        if (auto record = read(entry.path())) found.push_back({entry.path(), since, *std::move(record)});
    }
    return found;
}

bool PresentedRecords::isLeft(const Left& left) const {
    std::error_code gone;
    return fs::last_write_time(left.file, gone) == left.since && !gone;
}

void PresentedRecords::forget(const Left& left) const {
    require(::unlink(left.file.c_str()) == 0 || errno == ENOENT, left.file);
}

}  // namespace certmgr::acme
