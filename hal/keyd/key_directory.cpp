#include "hal/keyd/key_directory.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "hal/error.h"
#include "hal/file.h"
#include "hal/keyd/key_file.h"

namespace hal::keyd {
namespace {

constexpr std::string_view temporaryPrefix = ".new-";
constexpr std::string_view suffix = ".key";
constexpr std::size_t maxFile = 512 * 1024;
constexpr std::uint64_t leastRoom = 256 * 1024;

using Directory = Handle<DIR, ::closedir>;

Error unusable(const std::filesystem::path& path, const std::string& found) {
    return Error(ErrorKind::misconfigured, "directory-unusable",
                 "the key directory " + path.string() + " " + found);
}

std::string nameOf(const KeyId& id) {
    return id.text() + std::string(suffix);
}

UniqueFd openDirectory(const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) throwErrno(errno, "mkdir " + path.string());
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) throwErrno(errno, "open " + path.string());
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) throwErrno(errno, "stat " + path.string());
    if (status.st_uid != ::geteuid())
        throw unusable(path, "belongs to another user than the one keyd runs as");
    if (status.st_mode & 077) throw unusable(path, "is open to others: make its mode 0700");
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) throw unusable(path, "is in use by another certmgr-keyd");
    return fd;
}

std::vector<std::string> namesIn(int directory) {
    const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const Directory stream(copy < 0 ? nullptr : ::fdopendir(copy));
    if (!stream) throwErrno(errno, "list the key directory");
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream.get())) names.emplace_back(entry->d_name);
    return names;
}

std::optional<SecretBytes> readAll(int directory, const std::string& name) {
    const UniqueFd fd(::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno == ENOENT) return std::nullopt;
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) throwErrno(errno, "open the key file " + name);
    if (static_cast<std::uint64_t>(status.st_size) > maxFile)
        throw Error(ErrorKind::internal, "key-damaged",
                    "the key file " + name + " is larger than any key file");
    SecretBytes content(static_cast<std::size_t>(status.st_size));
    for (std::size_t got = 0; got < content.size();) {
        const ssize_t count = ::read(fd.get(), content.data() + got, content.size() - got);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throwErrno(errno, "read the key file " + name);
        if (count == 0) content.resize(got);
        got += static_cast<std::size_t>(count);
    }
    return content;
}

}  // namespace

KeyDirectory::KeyDirectory(std::filesystem::path directory)
    : path_(std::move(directory)), directory_(openDirectory(path_)) {
    removeTemporaries();
}

void KeyDirectory::removeTemporaries() const {
    for (const std::string& name : namesIn(directory_.get()))
        if (name.starts_with(temporaryPrefix)) ::unlinkat(directory_.get(), name.c_str(), 0);
    syncDirectory();
}

void KeyDirectory::syncDirectory() const {
    if (::fsync(directory_.get()) != 0) throwErrno(errno, "fsync " + path_.string());
}

std::string KeyDirectory::writeTemporary(const std::string& name,
                                         std::span<const std::uint8_t> content) const {
    const std::string temporary = std::string(temporaryPrefix) + name + "-" + KeyId::fresh().text();
    const UniqueFd fd(::openat(directory_.get(), temporary.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) throwErrno(errno, "create a key file in " + path_.string());
    try {
        const std::string_view octets(reinterpret_cast<const char*>(content.data()), content.size());
        if (const int failed = writeAll(fd.get(), octets)) throwErrno(failed, "write a key file");
        if (::fsync(fd.get()) != 0) throwErrno(errno, "fsync a key file");
    } catch (const Error&) {
        ::unlinkat(directory_.get(), temporary.c_str(), 0);
        throw;
    }
    return temporary;
}

bool KeyDirectory::createNamed(const std::string& name, const SecretBytes& content) {
    const std::string temporary = writeTemporary(name, content);
    if (::renameat2(directory_.get(), temporary.c_str(), directory_.get(), name.c_str(), RENAME_NOREPLACE) !=
        0) {
        const int found = errno;
        ::unlinkat(directory_.get(), temporary.c_str(), 0);
        if (found == EEXIST) return false;
        throwErrno(found, "rename a key file to " + name);
    }
    try {
        syncDirectory();
    } catch (const Error&) {
        ::unlinkat(directory_.get(), name.c_str(), 0);  // the caller hears that there is no key: so be it
        throw;
    }
    return true;
}

void KeyDirectory::create(const KeyFile& file) {
    if (!createNamed(nameOf(file.info.id), encodeKeyFile(file)))
        throw Error(
            ErrorKind::rejected, "key-exists",
            "a key " + file.info.id.text() + " exists; keys are never overwritten, choose a fresh id");
}

void KeyDirectory::replace(const KeyFile& file) {
    const std::string name = nameOf(file.info.id);
    const std::string temporary = writeTemporary(name, encodeKeyFile(file));
    if (::renameat(directory_.get(), temporary.c_str(), directory_.get(), name.c_str()) != 0) {
        const int found = errno;
        ::unlinkat(directory_.get(), temporary.c_str(), 0);
        throwErrno(found, "rename a key file to " + name);
    }
    syncDirectory();
}

bool KeyDirectory::remove(const KeyId& id) {
    if (::unlinkat(directory_.get(), nameOf(id).c_str(), 0) != 0) {
        if (errno != ENOENT) throwErrno(errno, "remove the key file of " + id.text());
        return false;
    }
    syncDirectory();
    return true;
}

bool KeyDirectory::contains(const KeyId& id) const {
    return ::faccessat(directory_.get(), nameOf(id).c_str(), F_OK, 0) == 0;
}

std::optional<KeyFile> KeyDirectory::load(const KeyId& id) const {
    const std::optional<SecretBytes> content = loadNamed(nameOf(id));
    if (!content) return std::nullopt;
    try {
        return decodeKeyFile(*content);
    } catch (Error& error) {
        throw Error(ErrorKind::internal, "key-damaged", "key " + id.text() + ": " + error.what());
    }
}

std::vector<KeyId> KeyDirectory::ids() const {
    std::vector<KeyId> ids;
    for (const std::string& name : namesIn(directory_.get()))
        if (name.ends_with(suffix))
            if (const auto id = KeyId::parse(std::string_view(name).substr(0, name.size() - suffix.size())))
                ids.push_back(*id);
    std::sort(ids.begin(), ids.end());
    return ids;
}

std::optional<SecretBytes> KeyDirectory::loadNamed(const std::string& name) const {
    return readAll(directory_.get(), name);
}

void KeyDirectory::checkRoom() const {
    struct statvfs status {};
    if (::fstatvfs(directory_.get(), &status) != 0) throwErrno(errno, "statvfs " + path_.string());
    if (status.f_bavail * status.f_frsize < leastRoom || (status.f_files != 0 && status.f_favail == 0))
        throw Error(ErrorKind::internal, "disk-full",
                    "the file system of " + path_.string() + " is full: make room, or no key can be stored");
}

}  // namespace hal::keyd
