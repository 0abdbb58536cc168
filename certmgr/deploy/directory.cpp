#include "certmgr/deploy/directory.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "certmgr/core/error.h"
#include "hal/file.h"

namespace certmgr::deploy {
namespace {

constexpr mode_t directoryMode = 0755;

using DirectoryStream = hal::Handle<DIR, ::closedir>;

[[noreturn]] void throwFor(int errnum, const std::string& what) {
    const std::string sentence = what + ": " + std::generic_category().message(errnum);
    if (errnum == EROFS)
        throw Error(ErrorKind::misconfigured, "read-only",
                    sentence + "; mount it writable or move the state directory");
    if (errnum == EACCES || errnum == EPERM)
        throw Error(ErrorKind::misconfigured, "access-denied",
                    sentence + "; the directory must belong to the user of certmgrd, uid " +
                        std::to_string(::geteuid()));
    hal::throwErrno(errnum, what);
}

void check(int result, const std::string& what) {
    if (result != 0) throwFor(errno, what);
}

}  // namespace

void syncFile(const hal::UniqueFd& file, const std::string& path) {
    check(::fsync(file.get()), "flush " + path);
}

Directory Directory::openOrMake(const std::filesystem::path& path) {
    const bool made = ::mkdir(path.c_str(), directoryMode) == 0;
    if (!made && errno != EEXIST) throwFor(errno, "make the directory " + path.string());
    hal::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) throwFor(errno, "open the directory " + path.string());
    return {std::move(fd), path};
}

Directory Directory::make(const std::string& name) const {
    const bool made = ::mkdirat(fd_.get(), name.c_str(), directoryMode) == 0;
    if (!made && errno != EEXIST) throwFor(errno, "make the directory " + pathOf(name));
    hal::UniqueFd fd(::openat(fd_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) throwFor(errno, "open the directory " + pathOf(name));
    if (made) {
        check(::fchmod(fd.get(), directoryMode), "set the mode of " + pathOf(name));
        sync();
    }
    return {std::move(fd), pathOf(name)};
}

std::optional<Directory> Directory::find(const std::string& name) const {
    hal::UniqueFd fd(::openat(fd_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && errno == ENOENT) return std::nullopt;
    if (!fd) throwFor(errno, "open the directory " + pathOf(name));
    return Directory(std::move(fd), pathOf(name));
}

hal::UniqueFd Directory::write(const std::string& name, const std::string& content, mode_t mode) const {
    hal::UniqueFd fd(::openat(fd_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!fd) throwFor(errno, "create " + pathOf(name));
    check(::fchmod(fd.get(), mode), "set the mode of " + pathOf(name));
    if (const int failed = hal::writeAll(fd.get(), content)) throwFor(failed, "write " + pathOf(name));
    return fd;
}

std::optional<std::string> Directory::read(const std::string& name) const {
    const hal::UniqueFd fd(::openat(fd_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && errno == ENOENT) return std::nullopt;
    if (!fd) throwFor(errno, "open " + pathOf(name));
    std::string content;
    std::array<char, 8192> block;
    for (;;) {
        const ssize_t count = ::read(fd.get(), block.data(), block.size());
        if (count == 0) return content;
        if (count < 0 && errno != EINTR) throwFor(errno, "read " + pathOf(name));
        if (count > 0) content.append(block.data(), static_cast<std::size_t>(count));
    }
}

void Directory::replace(const std::string& name, const std::string& content, mode_t mode) const {
    if (read(name) == content) return;
    const std::string unfinished = name + ".new";
    remove(unfinished);
    syncFile(write(unfinished, content, mode), pathOf(unfinished));
    rename(unfinished, name);
    sync();
}

void Directory::link(const std::string& target, const std::string& name) const {
    check(::symlinkat(target.c_str(), fd_.get(), name.c_str()), "make the link " + pathOf(name));
}

std::optional<std::string> Directory::linkTarget(const std::string& name) const {
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlinkat(fd_.get(), name.c_str(), target.data(), target.size());
    if (size < 0 && errno == ENOENT) return std::nullopt;
    if (size < 0) throwFor(errno, "read the link " + pathOf(name));
    return std::string(target.data(), static_cast<std::size_t>(size));
}

void Directory::rename(const std::string& from, const std::string& to) const {
    check(::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()), "rename " + pathOf(from) + " to " + to);
}

void Directory::exchange(const std::string& one, const std::string& other) const {
    check(::renameat2(fd_.get(), one.c_str(), fd_.get(), other.c_str(), RENAME_EXCHANGE),
          "exchange " + pathOf(one) + " and " + other);
}

void Directory::remove(const std::string& name) const {
    if (::unlinkat(fd_.get(), name.c_str(), 0) == 0 || errno == ENOENT) return;
    if (errno != EISDIR) throwFor(errno, "remove " + pathOf(name));
    if (const auto below = find(name))
        for (const std::string& entry : below->names()) below->remove(entry);
    check(::unlinkat(fd_.get(), name.c_str(), AT_REMOVEDIR), "remove the directory " + pathOf(name));
}

std::vector<std::string> Directory::names() const {
    hal::UniqueFd fd(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) throwFor(errno, "open the directory " + path_.string());
    const DirectoryStream stream(::fdopendir(fd.get()));
    if (!stream) throwFor(errno, "list the directory " + path_.string());
    fd.release();  // the stream closes it now
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
    }
    if (errno != 0) throwFor(errno, "list the directory " + path_.string());
    return names;
}

void Directory::sync() const {
    check(::fsync(fd_.get()), "flush the directory " + path_.string());
}

}  // namespace certmgr::deploy
