#include "tests/support/private_bus.h"

#include <csignal>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "hal/handle.h"

namespace testing_support {
namespace {

// As /usr/share/dbus-1/system.conf has it.
constexpr char defaultPolicy[] = R"(
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
  </policy>
)";

std::string configuration(const std::string& address, const std::vector<std::filesystem::path>& policies,
                          const std::vector<std::string>& rootOwns) {
    std::string text =
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
        " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig>\n  "
        "<type>system</type>\n"
        "  <listen>" +
        address + "</listen>" + defaultPolicy;
    for (const std::filesystem::path& policy : policies)
        text += "  <includedir>" + policy.string() + "</includedir>\n";
    text += "  <policy user=\"root\">\n";
    for (const std::string& name : rootOwns) text += "    <allow own=\"" + name + "\"/>\n";
    return text + "  </policy>\n</busconfig>\n";
}

int require(int result, const char* what) {
    if (result < 0) throw std::system_error(-result, std::generic_category(), what);
    return result;
}

// setresuid(2) of the C library changes every thread; the system call changes the one that makes it.
void becomeUser(uid_t uid) {
    if (uid == 0) return;
    if (::syscall(SYS_setgroups, 0, nullptr) != 0 || ::syscall(SYS_setresgid, uid, uid, uid) != 0 ||
        ::syscall(SYS_setresuid, uid, uid, uid) != 0)
        throw std::system_error(errno, std::generic_category(), "the test must run as root: setresuid");
}

// The name is there from bind(2) on, somewhat before listen(2).
bool listens(const std::filesystem::path& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
    const hal::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    // connect(2) takes every family's address through this one type.
    return fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

BusConnection open(const std::string& address) {
    sd_bus* created = nullptr;
    require(sd_bus_new(&created), "sd_bus_new");
    BusConnection bus(created);
    require(sd_bus_set_address(created, address.c_str()), "sd_bus_set_address");
    require(sd_bus_set_bus_client(created, 1), "sd_bus_set_bus_client");
    require(sd_bus_negotiate_fds(created, 1), "sd_bus_negotiate_fds");
    require(sd_bus_start(created), "sd_bus_start");
    const char* name = nullptr;
    require(sd_bus_get_unique_name(created, &name), "the private bus does not answer");
    return bus;
}

}  // namespace

PrivateBus::PrivateBus(const std::vector<std::filesystem::path>& policies,
                       const std::vector<std::string>& rootOwns)
    : address_("unix:path=" + (folder_ / "bus").string()) {
    writeFile(folder_ / "bus.conf", configuration(address_, policies, rootOwns));
    ChildProcess::Options options;
    options.output = folder_ / "log";
    daemon_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{"dbus-daemon", "--nofork", "--nopidfile",
                                 "--config-file=" + (folder_ / "bus.conf").string()},
        options);
    waitUntil("dbus-daemon listens", [&] {
        if (!daemon_->running()) throw std::runtime_error("dbus-daemon ended: " + readFile(options.output));
        return listens(folder_ / "bus");
    });
}

BusConnection PrivateBus::connect(uid_t uid) const {
    BusConnection bus;
    std::exception_ptr failure;
    std::thread([&] {
        try {
            becomeUser(uid);
            bus = open(address_);
        } catch (...) {
            failure = std::current_exception();
        }
    }).join();
    if (failure) std::rethrow_exception(failure);
    return bus;
}

bool PrivateBus::hasOwner(const std::string& name) const {
    const BusConnection bus = connect();
    return sd_bus_get_name_creds(bus.get(), name.c_str(), 0, nullptr) >= 0;
}

ChildProcess::Options PrivateBus::options(uid_t uid) const {
    ChildProcess::Options options;
    options.environment["DBUS_SYSTEM_BUS_ADDRESS"] = address_;
    if (uid != 0) options.uid = uid;
    return options;
}

Polkit::Polkit(const PrivateBus& bus, const std::filesystem::path& actions, const std::string& rules) {
    std::filesystem::create_directories(folder_ / "rules.d");
    std::filesystem::create_directories(folder_ / "none");
    writeFile(folder_ / "rules.d" / "50-test.rules", rules);
    const std::string script =
        "mount --bind " + actions.string() + " /usr/share/polkit-1/actions && mount --bind " +
        (folder_ / "rules.d").string() + " /usr/share/polkit-1/rules.d && mount --bind " +
        (folder_ / "none").string() + " /etc/polkit-1/rules.d && exec /usr/lib/polkit-1/polkitd --no-debug";
    ChildProcess::Options options = bus.options();
    options.output = folder_ / "log";
    daemon_ = std::make_unique<ChildProcess>(std::vector<std::string>{"unshare", "-m", "sh", "-c", script},
                                             options);
    waitUntil("polkitd is on the bus", [&] {
        if (!daemon_->running()) throw std::runtime_error("polkitd ended: " + readFile(options.output));
        return bus.hasOwner("org.freedesktop.PolicyKit1");
    });
}

void Polkit::kill() {
    daemon_->signal(SIGKILL);
    daemon_->wait(std::chrono::seconds(5));
}

}  // namespace testing_support
