#include "tests/integration/service_control/fake_systemd.h"

#include <csignal>
#include <cstdlib>
#include <system_error>

namespace testing_support {
namespace {

using Message = hal::Handle<sd_bus_message, sd_bus_message_unref>;

constexpr const char* path = "/org/freedesktop/systemd1";
constexpr const char* manager = "org.freedesktop.systemd1.Manager";
constexpr const char* job = "/org/freedesktop/systemd1/job/4711";

void require(int result, const std::string& what) {
    if (result < 0) throw std::system_error(-result, std::generic_category(), what);
}

void signalEnd(sd_bus* bus, const char* which, const char* result) {
    require(
        sd_bus_emit_signal(bus, path, manager, "JobRemoved", "uoss", 4711u, which, "nginx.service", result),
        "JobRemoved");
}

}  // namespace

UnguardedBus::UnguardedBus() {
    const std::string socket = folder_ / "bus";
    writeFile(folder_ / "bus.conf",
              "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN\" "
              "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
              "<busconfig><listen>unix:path=" +
                  socket +
                  "</listen><auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\"/>"
                  "<allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>\n");
    daemon_ = std::make_unique<ChildProcess>(std::vector<std::string>{
        "dbus-daemon", "--nofork", "--config-file=" + (folder_ / "bus.conf").string()});
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", ("unix:path=" + socket).c_str(), 1);
    waitUntil("dbus-daemon", [] {
        sd_bus* bus = nullptr;
        const int result = sd_bus_open_system(&bus);
        sd_bus_unref(bus);
        return result >= 0;
    });
}

UnguardedBus::~UnguardedBus() {
    ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

FakeSystemd::FakeSystemd(Behaviour behaviour, std::string result, std::string activeState,
                         std::string loadState)
    : behaviour_(behaviour),
      result_(std::move(result)),
      activeState_(std::move(activeState)),
      loadState_(std::move(loadState)) {
    sd_bus* bus = nullptr;
    require(sd_bus_open_system(&bus), "the fake systemd cannot reach the private bus");
    bus_.reset(bus);
    require(sd_bus_request_name(bus, "org.freedesktop.systemd1", 0), "org.freedesktop.systemd1");
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

void FakeSystemd::serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        sd_bus_message* raw = nullptr;
        if (sd_bus_process(bus_.get(), &raw) < 0) return;  // the bus is gone
        const Message message(raw);
        if (!message) {
            sd_bus_wait(bus_.get(), 20'000);
        } else if (!answer(*message)) {
            bus_.reset();
            return;
        }
    }
}

bool FakeSystemd::answer(sd_bus_message& call) {
    if (sd_bus_message_is_method_call(&call, manager, "Subscribe") > 0) {
        require(sd_bus_reply_method_return(&call, ""), "Subscribe");
        return true;
    }
    if (sd_bus_message_is_method_call(&call, manager, "ListUnitsByNames") > 0) {
        require(sd_bus_reply_method_return(&call, "a(ssssssouso)", 1, "nginx.service", "", loadState_.c_str(),
                                           activeState_.c_str(), "", "", "/", 0U, "", "/"),
                "ListUnitsByNames");
        return true;
    }
    if (sd_bus_message_is_method_call(&call, manager, nullptr) <= 0) return true;
    method_ = sd_bus_message_get_member(&call);
    const char* unit = nullptr;
    const char* mode = nullptr;
    require(sd_bus_message_read(&call, "ss", &unit, &mode), method_);
    asked_ = std::string(unit) + " " + mode;
    wasAsked_ = true;
    switch (behaviour_) {
        case Behaviour::endWithResult:
            signalEnd(bus_.get(), "/org/freedesktop/systemd1/job/1", "failed");  // somebody else's job
            signalEnd(bus_.get(), job, result_.c_str());
            break;
        case Behaviour::refuse:
            require(sd_bus_reply_method_errorf(&call, result_.c_str(), "the fake says %s", result_.c_str()),
                    result_);
            return true;
        case Behaviour::neverEnd:
            break;
        case Behaviour::vanishBeforeAnswer:
            return false;
        case Behaviour::vanishAfterAnswer:
            break;
    }
    require(sd_bus_reply_method_return(&call, "o", job), method_);
    return behaviour_ != Behaviour::vanishAfterAnswer;
}

}  // namespace testing_support
