#include "tests/support/swtpm.h"

#include <csignal>
#include <sstream>
#include <stdexcept>

namespace testing_support {
namespace {

std::string busConfiguration(const std::filesystem::path& socket) {
    return "<busconfig><type>session</type><listen>unix:path=" + socket.string() +
           "</listen><auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\"/>"
           "<allow eavesdrop=\"false\"/><allow own=\"*\"/></policy></busconfig>";
}

std::vector<std::string> busCommand(const TemporaryDirectory& folder) {
    writeFile(folder / "bus.conf", busConfiguration(folder / "bus"));
    return {"dbus-daemon", "--nofork", "--nopidfile", "--config-file=" + (folder / "bus.conf").string()};
}

// A socket's file is there before anybody listens. Asked of the kernel, since swtpm takes one connection
// only.
bool listening(const std::string& socket) {
    constexpr std::string_view acceptsConnections = " 00010000 ";  // __SO_ACCEPTCON
    std::istringstream table(readFile("/proc/net/unix"));
    for (std::string line; std::getline(table, line);)
        if (line.ends_with(" " + socket) && line.find(acceptsConnections) != line.npos) return true;
    return false;
}

ChildProcess::Options loggingTo(const std::filesystem::path& file) {
    ChildProcess::Options options;
    options.output = file;
    return options;
}

}  // namespace

Swtpm::Swtpm() {
    std::filesystem::create_directory(folder_ / "state");
    start();
}

void Swtpm::start() {
    const std::string socket = folder_ / "tpm";
    std::filesystem::remove(socket);
    std::filesystem::remove(socket + ".ctrl");
    ChildProcess::Options options;
    options.output = folder_ / "swtpm.log";
    process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{
            "swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + (folder_ / "state").string(), "--server",
            "type=unixio,path=" + socket, "--ctrl", "type=unixio,path=" + socket + ".ctrl", "--flags",
            "not-need-init,startup-clear"},
        options);
    waitUntil("swtpm listens: " + readFile(folder_ / "swtpm.log"),
              [&] { return listening(socket) && listening(socket + ".ctrl"); });
}

void Swtpm::stop() {
    process_->signal(SIGKILL);
    process_->wait(std::chrono::seconds(5));
    process_.reset();
}

std::string Swtpm::tcti() const {
    return "swtpm:path=" + (folder_ / "tpm").string();
}

RunResult Swtpm::tryTool(const std::vector<std::string>& argv) const {
    ChildProcess::Options options;
    options.environment = {{"TPM2TOOLS_TCTI", tcti()}};
    return run(argv, options);
}

std::string Swtpm::tool(const std::vector<std::string>& argv) const {
    const RunResult result = tryTool(argv);
    if (result.status != 0) throw std::runtime_error(argv.at(0) + " failed: " + result.output);
    return result.output;
}

ResourceManager::ResourceManager(const Swtpm& tpm)
    : tpm_(tpm.tcti()), bus_(busCommand(folder_), loggingTo(folder_ / "bus.log")) {
    waitUntil("dbus-daemon makes its socket", [&] { return std::filesystem::exists(folder_ / "bus"); });
    start();
}

void ResourceManager::start() {
    ChildProcess::Options options;
    options.environment = environment();
    options.output = folder_ / "abrmd.log";
    process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{"tpm2-abrmd", "--session", "--allow-root", "--flush-all", "--tcti=" + tpm_},
        options);
    const std::vector<std::string> ping{"gdbus",
                                        "call",
                                        "--session",
                                        "--dest",
                                        "com.intel.tss2.Tabrmd",
                                        "--object-path",
                                        "/com/intel/tss2/Tabrmd/Tcti",
                                        "--method",
                                        "org.freedesktop.DBus.Peer.Ping"};
    ChildProcess::Options quiet;
    quiet.environment = environment();
    waitUntil("tpm2-abrmd takes its name on the bus: " + readFile(options.output),
              [&] { return run(ping, quiet).status == 0; });
}

void ResourceManager::stop() {
    process_->signal(SIGKILL);
    process_->wait(std::chrono::seconds(5));
    process_.reset();
}

std::map<std::string, std::string> ResourceManager::environment() const {
    return {{"DBUS_SESSION_BUS_ADDRESS", "unix:path=" + (folder_ / "bus").string()}};
}

}  // namespace testing_support
