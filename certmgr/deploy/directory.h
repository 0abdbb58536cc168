// A directory held open: what lies in it is reached by name from here, never by a path that may change
// meanwhile.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "hal/handle.h"

namespace certmgr::deploy {

// Errors: hal::Error. "disk-full" (internal); "read-only", "access-denied" (misconfigured);
// "system-call-failed" (internal). Each names the path. Names are single path components; links are never
// followed.
class Directory {
  public:
    static Directory openOrMake(const std::filesystem::path& path);  // its parent must exist

    Directory make(
        const std::string& name) const;  // 0755; one that is there already is opened; durable when it returns
    std::optional<Directory> find(const std::string& name) const;

    // Replaces nothing: a file of that name is an error. Not durable before fsync(2) of the descriptor
    // returned.
    hal::UniqueFd write(const std::string& name, const std::string& content, mode_t mode) const;
    std::optional<std::string> read(const std::string& name) const;

    // Whole and durable when it returns: a reader sees the content before or this one. Writes nothing where
    // it is this one already.
    void replace(const std::string& name, const std::string& content, mode_t mode) const;

    void link(const std::string& target, const std::string& name) const;
    std::optional<std::string> linkTarget(const std::string& name) const;

    void rename(const std::string& from, const std::string& to) const;
    void exchange(const std::string& one, const std::string& other) const;
    void remove(const std::string& name) const;  // with all that is below it; absent: nothing happens
    std::vector<std::string> names() const;
    void sync() const;

    std::string pathOf(const std::string& name) const { return path_ / name; }

  private:
    Directory(hal::UniqueFd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}

    hal::UniqueFd fd_;
    std::filesystem::path path_;
};

void syncFile(const hal::UniqueFd& file, const std::string& path);

}  // namespace certmgr::deploy
