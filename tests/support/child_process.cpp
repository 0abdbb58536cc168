#include "tests/support/child_process.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace testing_support {
namespace {

std::string findProgram(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        if (::access(name.c_str(), X_OK) == 0) return name;
    } else {
        std::istringstream path(std::string(std::getenv("PATH") ? std::getenv("PATH") : "") +
                                ":/usr/sbin:/usr/bin");
        for (std::string folder; std::getline(path, folder, ':');)
            if (const std::string file = folder + "/" + name; ::access(file.c_str(), X_OK) == 0) return file;
    }
    throw std::runtime_error(name + " is missing; scripts/setup installs what the tests need");
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// Runs in the child, after fork: only calls that are safe there, and _exit.
[[noreturn]] void becomeProgram(const char* program, char* const* argv, char* const* environment, int output,
                                const std::optional<uid_t>& uid) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (output >= 0) {
        ::dup2(output, STDOUT_FILENO);
        ::dup2(output, STDERR_FILENO);
    }
    if (uid && (::setgroups(0, nullptr) != 0 || ::setgid(*uid) != 0 || ::setuid(*uid) != 0)) ::_exit(126);
    ::execve(program, argv, environment);
    ::_exit(127);
}

int decode(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
    const char* base = std::getenv("TMPDIR");
    std::string name = std::string(base ? base : "/tmp") + "/certmgr-test-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::system_error(errno, std::generic_category(), name);
    path_ = name;
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

ChildProcess::ChildProcess(const std::vector<std::string>& argv, const Options& options) {
    const std::string program = findProgram(argv.at(0));
    std::vector<char*> arguments;
    for (const std::string& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::vector<std::string> variables;
    for (char** variable = environ; *variable; ++variable)
        if (!options.environment.contains(std::string(*variable).substr(0, std::string(*variable).find('='))))
            variables.emplace_back(*variable);
    for (const auto& [name, value] : options.environment) variables.push_back(name + "=" + value);
    std::vector<char*> environment;
    for (std::string& variable : variables) environment.push_back(variable.data());
    environment.push_back(nullptr);

    int output = -1;
    if (!options.output.empty()) {
        output = ::open(options.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (output < 0) throw std::system_error(errno, std::generic_category(), options.output.string());
    }
    pid_ = ::fork();
    if (pid_ == 0) becomeProgram(program.c_str(), arguments.data(), environment.data(), output, options.uid);
    if (output >= 0) ::close(output);
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
}

ChildProcess::~ChildProcess() {
    if (!running()) return;
    signal(SIGTERM);
    if (wait(std::chrono::seconds(2))) return;
    signal(SIGKILL);
    wait(std::chrono::seconds(5));
}

void ChildProcess::signal(int number) const {
    if (!status_) ::kill(pid_, number);
}

bool ChildProcess::running() {
    return !wait(std::chrono::milliseconds(0)).has_value();
}

std::optional<int> ChildProcess::wait(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!status_) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            status_ = decode(status);
        } else {
            if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    }
    return status_;
}

RunResult run(const std::vector<std::string>& argv, const ChildProcess::Options& options,
              std::chrono::milliseconds limit) {
    const TemporaryDirectory folder;
    ChildProcess::Options captured = options;
    captured.output = folder / "output";
    ChildProcess child(argv, captured);
    const std::optional<int> status = child.wait(limit);
    if (!status) throw std::runtime_error(argv.at(0) + " did not end in time: " + readFile(captured.output));
    return {*status, readFile(captured.output)};
}

// None of those that the kernel gives to outgoing connections: such a connection could have it before the
// server that it is meant for. And none twice in a process: what was handed out may not be bound yet.
std::uint16_t freePort() {
    constexpr unsigned first = 10000, count = 32768 - first;
    static std::atomic<unsigned> next = std::random_device{}() % count;
    for (int attempts = 0; attempts < 100; ++attempts) {
        const auto port = static_cast<std::uint16_t>(first + next++ % count);
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_in address = loopback(port);
        const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        ::close(fd);
        if (bound) return port;
    }
    throw std::runtime_error("no free port on 127.0.0.1");
}

bool portOpen(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool open = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return open;
}

void waitUntil(const std::string& what, const std::function<bool()>& ready, std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!ready()) {
        if (std::chrono::steady_clock::now() >= deadline) throw std::runtime_error("timed out: " + what);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

std::string readFile(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream content;
    content << stream.rdbuf();
    return content.str();
}

void writeFile(const std::filesystem::path& file, const std::string& content) {
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    stream << content;
    if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace testing_support
