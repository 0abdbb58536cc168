#include "tests/integration/service_control/fake_systemd.h"

#include <systemd/sd-bus.h>

#include <csignal>
#include <cstdlib>
#include <future>
#include <stdexcept>
#include <system_error>

#include "hal/handle.h"

namespace testing_support {
namespace {

using Bus = hal::Handle<sd_bus, sd_bus_flush_close_unref>;
using Message = hal::Handle<sd_bus_message, sd_bus_message_unref>;

constexpr const char* manager = "org.freedesktop.systemd1.Manager";
constexpr const char* job = "/org/freedesktop/systemd1/job/4711";

void require(int result, const std::string& what) {
    if (result < 0) throw std::system_error(-result, std::generic_category(), what);
}

Bus connectAsSystemd() {
    sd_bus* raw = nullptr;
    require(sd_bus_open_system(&raw), "the fake systemd cannot reach the private bus");
    Bus bus(raw);
    require(sd_bus_request_name(raw, "org.freedesktop.systemd1", 0), "org.freedesktop.systemd1");
    return bus;
}

void jobRemoved(sd_bus& bus, std::uint32_t number, const char* path, const char* result) {
    require(sd_bus_emit_signal(&bus, "/org/freedesktop/systemd1", manager, "JobRemoved", "uoss", number, path,
                               "nginx.service", result),
            "JobRemoved");
}

}  // namespace

PrivateBus::PrivateBus() {
    const std::string socket = folder_ / "bus";
    writeFile(folder_ / "bus.conf",
              "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN\" "
              "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
              "<busconfig><type>system</type><listen>unix:path=" +
                  socket +
                  "</listen><auth>EXTERNAL</auth><policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>"
                  "<allow send_type=\"method_call\"/><allow send_type=\"signal\"/>"
                  "<allow receive_type=\"signal\"/></policy></busconfig>\n");
    daemon_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{"dbus-daemon", "--nofork", "--config-file=" + (folder_ / "bus.conf").string()});
    waitUntil("the socket of dbus-daemon", [&] { return std::filesystem::exists(socket); });
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", ("unix:path=" + socket).c_str(), 1);
}

PrivateBus::~PrivateBus() { ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS"); }

FakeSystemd::FakeSystemd(Behaviour behaviour, std::string result, PrivateBus* bus)
    : behaviour_(behaviour), result_(std::move(result)), bus_(bus) {
    std::promise<void> ready;
    std::future<void> isReady = ready.get_future();
    thread_ = std::jthread([this, &ready](const std::stop_token& stop) {
        Bus bus = connectAsSystemd();
        ready.set_value();
        serve(stop);
    });
    isReady.get();
}

}  // namespace testing_support
