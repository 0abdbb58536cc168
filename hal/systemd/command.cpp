#include "hal/systemd/command.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "hal/error.h"
#include "hal/file.h"
#include "hal/handle.h"

namespace hal {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t outputLimit = 4096;
constexpr std::array directories{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                 "/usr/bin",        "/sbin",          "/bin"};

void require(int errnum, std::string_view what) {
    if (errnum != 0) throwErrno(errnum, what);
}

std::string pathVariable() {
    std::string text;
    for (const char* const directory : directories)
        text.append(text.empty() ? "PATH=" : ":").append(directory);
    return text;
}

// "NAME=value", unless there is one of that name.
void complete(std::vector<std::string>& variables, std::string variable) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    if (std::ranges::none_of(variables, [&](const std::string& each) { return each.starts_with(name); }))
        variables.push_back(std::move(variable));
}

std::string findProgram(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    for (const std::string directory : directories)
        if (const std::string file = directory + "/" + name; ::access(file.c_str(), X_OK) == 0) return file;
    return name;
}

struct SpawnActions {
    SpawnActions() { require(posix_spawn_file_actions_init(&value), "posix_spawn"); }
    ~SpawnActions() { posix_spawn_file_actions_destroy(&value); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
    posix_spawn_file_actions_t value{};
};

struct SpawnAttributes {
    SpawnAttributes() { require(posix_spawnattr_init(&value), "posix_spawn"); }
    ~SpawnAttributes() { posix_spawnattr_destroy(&value); }
    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;
    posix_spawnattr_t value{};
};

// The new process leads a group of its own and has default signals, whatever the daemon blocks or ignores.
void isolate(SpawnAttributes& attributes) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setpgroup(&attributes.value, 0);
    posix_spawnattr_setsigmask(&attributes.value, &none);
    posix_spawnattr_setsigdefault(&attributes.value, &all);
    posix_spawnattr_setflags(&attributes.value,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

// As execve(2) wants them: ended by a null pointer.
std::vector<char*> pointersTo(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
}

// A memfd: whoever does not read it to its end holds up nobody.
UniqueFd inputWith(std::string_view text) {
    UniqueFd fd(::memfd_create("input", MFD_CLOEXEC));
    require(fd ? 0 : errno, "make the input of the command");
    require(writeAll(fd.get(), text), "write the input of the command");
    require(::lseek(fd.get(), 0, SEEK_SET) == 0 ? 0 : errno, "rewind the input of the command");
    return fd;
}

// Readable as soon as a stop is requested.
class StopEvent {
  public:
    explicit StopEvent(std::stop_token stop)
        : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), wake_(std::move(stop), Wake{fd_.get()}) {
        require(fd_ ? 0 : errno, "make an event");
    }
    int descriptor() const { return fd_.get(); }

  private:
    struct Wake {
        int descriptor;
        void operator()() const noexcept { ::eventfd_write(descriptor, 1); }
    };
    const UniqueFd fd_;
    const std::stop_callback<Wake> wake_;
};

class Command {
  public:
    // Returns errno, 0 when it runs.
    int start(const std::vector<std::string>& argv, std::vector<std::string> variables,
              std::string_view text) {
        std::array<int, 2> ends{};
        require(::pipe2(ends.data(), O_CLOEXEC) == 0 ? 0 : errno, "make a pipe");
        output_ = UniqueFd(ends[0]);
        const UniqueFd input(ends[1]);
        require(::fcntl(output_.get(), F_SETFL, O_NONBLOCK) == 0 ? 0 : errno, "make a pipe non-blocking");

        SpawnActions actions;
        const UniqueFd content = inputWith(text);
        require(posix_spawn_file_actions_adddup2(&actions.value, content.get(), STDIN_FILENO), "posix_spawn");
        require(posix_spawn_file_actions_adddup2(&actions.value, input.get(), STDOUT_FILENO), "posix_spawn");
        require(posix_spawn_file_actions_adddup2(&actions.value, input.get(), STDERR_FILENO), "posix_spawn");
        require(posix_spawn_file_actions_addclosefrom_np(&actions.value, STDERR_FILENO + 1), "posix_spawn");
        SpawnAttributes attributes;
        isolate(attributes);

        std::vector<std::string> words = argv;
        complete(variables, pathVariable());
        complete(variables, "LC_ALL=C");
        std::vector<char*> arguments = pointersTo(words);
        std::vector<char*> environment = pointersTo(variables);
        const std::string program = findProgram(argv.front());
        const int error = ::posix_spawn(&pid_, program.c_str(), &actions.value, &attributes.value,
                                        arguments.data(), environment.data());
        if (error != 0) return error;
        process_ = UniqueFd(
            static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));  // glibc 2.36 declares it for C only
        require(process_ ? 0 : errno, "watch the process");
        return 0;
    }

    // Why it is to be killed; absent: it has ended.
    std::optional<CommandResult::End> awaitEnd(steady_clock::time_point deadline, const StopEvent& stop) {
        std::array<pollfd, 3> watched{pollfd{process_.get(), POLLIN, 0}, pollfd{output_.get(), POLLIN, 0},
                                      pollfd{stop.descriptor(), POLLIN, 0}};
        for (;;) {
            const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
            if (left <= milliseconds(0)) return CommandResult::End::timedOut;
            const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(left.count()));
            if (ready < 0 && errno != EINTR) throwErrno(errno, "wait for the command");
            if (ready <= 0) continue;
            if (watched[1].revents != 0 && !drain()) watched[1].fd = -1;
            if (watched[0].revents != 0) {
                drain();
                return std::nullopt;
            }
            if (watched[2].revents != 0) return CommandResult::End::stopped;
        }
    }

    void killGroup() const { ::kill(-pid_, SIGKILL); }

    CommandResult collect() {
        siginfo_t end{};
        while (::waitid(P_PIDFD, static_cast<id_t>(process_.get()), &end, WEXITED) != 0)
            if (errno != EINTR) throwErrno(errno, "collect the command");
        const bool exited = end.si_code == CLD_EXITED;
        return {exited ? CommandResult::End::exited : CommandResult::End::signalled, end.si_status,
                readable()};
    }

  private:
    // False: all writers have closed it. Something that the command left behind may keep it open: never waits
    // for that.
    bool drain() {
        std::array<char, outputLimit> block;
        for (;;) {
            const ssize_t count = ::read(output_.get(), block.data(), block.size());
            if (count < 0) return errno == EAGAIN || errno == EINTR;
            if (count == 0) return false;
            tail_.append(block.data(), static_cast<std::size_t>(count));
            if (tail_.size() > outputLimit) tail_.erase(0, tail_.size() - outputLimit);
        }
    }

    // It ends up in D-Bus strings and on terminals.
    std::string readable() const {
        std::string text = tail_;
        std::ranges::replace_if(
            text, [](char c) { return (c < ' ' && c != '\n' && c != '\t') || c > '~'; }, '?');
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text;
    }

    pid_t pid_ = -1;
    UniqueFd process_;
    UniqueFd output_;
    std::string tail_;
};

}  // namespace

CommandResult runCommand(const std::vector<std::string>& argv, steady_clock::time_point deadline,
                         std::vector<std::string> variables, std::string_view input, std::stop_token stop) {
    if (stop.stop_requested()) return {CommandResult::End::stopped, 0, {}};
    const StopEvent stopped(std::move(stop));
    Command command;
    if (const int error = command.start(argv, std::move(variables), input); error != 0)
        return {CommandResult::End::notStarted, error, {}};
    const std::optional<CommandResult::End> killed = command.awaitEnd(deadline, stopped);
    if (!killed) return command.collect();
    command.killGroup();
    CommandResult result = command.collect();
    result.end = *killed;
    return result;
}

}  // namespace hal
