// Real components as children of a test: started, awaited, and ended with it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace testing_support {

class TemporaryDirectory {
  public:
    TemporaryDirectory();  // below $TMPDIR or /tmp, mode 0755
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

class ChildProcess {
  public:
    struct Options {
        std::map<std::string, std::string> environment;  // added to ours
        std::filesystem::path output;                    // stdout and stderr; empty: inherited
        std::optional<uid_t> uid;                        // and the same gid
    };
    // argv[0] is looked up in PATH and in /usr/sbin; throws std::runtime_error "X is not installed: apt-get
    // install …" style messages where it is missing: a test that lacks its component fails and says so.
    ChildProcess(const std::vector<std::string>& argv, const Options& options);
    explicit ChildProcess(const std::vector<std::string>& argv) : ChildProcess(argv, Options{}) {}
    ~ChildProcess();  // SIGTERM, after two seconds SIGKILL; the kernel kills it too when the test dies
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number) const;
    bool running();
    // The exit status (128+n for a signal); empty: still running after `limit`.
    std::optional<int> wait(std::chrono::milliseconds limit);

  private:
    pid_t pid_ = -1;
    std::optional<int> status_;
};

// Runs to its end; returns exit status and output together. Throws after `limit`.
struct RunResult {
    int status = 0;
    std::string output;
};
RunResult run(const std::vector<std::string>& argv, const ChildProcess::Options& options = {},
              std::chrono::milliseconds limit = std::chrono::seconds(30));

std::uint16_t freePort();  // on 127.0.0.1
// Polls until `ready` says so; throws std::runtime_error naming `what` after `limit`.
void waitUntil(const std::string& what, const std::function<bool()>& ready,
               std::chrono::milliseconds limit = std::chrono::seconds(20));
bool portOpen(std::uint16_t port);

std::string readFile(const std::filesystem::path& file);
void writeFile(const std::filesystem::path& file, const std::string& content);

}  // namespace testing_support
