#include "tests/integration/bus/bus_host.h"

#include <cstdarg>
#include <future>
#include <stdexcept>

#include <sys/eventfd.h>

#include "certmgr/bus/names.h"

namespace certmgr::bus {
namespace {

using testing_support::FakeCommands;

const std::filesystem::path rootfs = CERTMGR_ROOTFS;

// The rules as shipped, with a group that every Debian has.
std::string shippedRules() {
    std::string rules = testing_support::readFile(rootfs / "usr/share/polkit-1/rules.d/50-certmgr.rules");
    const std::string group = "certmgr-admin";
    const std::size_t call = rules.find("isInGroup(\"" + group);
    if (call == std::string::npos) throw std::runtime_error("50-certmgr.rules does not name " + group);
    return rules.replace(rules.find(group, call), group.size(), "games");
}

int drain(sd_event_source*, int fd, std::uint32_t, void*) {
    eventfd_t count = 0;
    return ::eventfd_read(fd, &count);
}

}  // namespace

BusHost::BusHost()
    : bus({rootfs / "usr/share/dbus-1/system.d", "/usr/share/dbus-1/system.d"}, {serviceName}),
      polkit(bus, rootfs / "usr/share/polkit-1/actions", shippedRules()),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    fill(commands_);
    std::promise<void> ready;
    thread_ = std::thread([this, &ready] {
        try {
            serve([&ready] { ready.set_value(); });
        } catch (...) {
            ready.set_exception(std::current_exception());
        }
    });
    ready.get_future().get();
}

BusHost::~BusHost() {
    stop();
}

void BusHost::serve(const std::function<void()>& ready) {
    using Event = hal::Handle<sd_event, sd_event_unref>;
    sd_event* created = nullptr;
    check(sd_event_new(&created), "sd_event_new");
    const Event event(created);
    check(sd_event_add_io(created, nullptr, wake_.get(), EPOLLIN, drain, nullptr), "sd_event_add_io");
    const testing_support::BusConnection connection = bus.connect();
    Service service(connection.get(), commands_, commands_.shown);
    check(sd_bus_attach_event(connection.get(), created, 0), "sd_bus_attach_event");
    service.acquireName();
    ready();
    while (!stopping_) {
        check(sd_event_run(created, commands_.later.empty() ? UINT64_MAX : 0), "sd_event_run");
        runPosted();
        if (commands_.later.empty()) continue;
        const std::function<void()> work = std::move(commands_.later.front());
        commands_.later.pop_front();
        work();
    }
    sd_bus_detach_event(connection.get());
}

void BusHost::runPosted() {
    std::deque<std::function<void()>> posted;
    {
        const std::lock_guard lock(mutex_);
        posted.swap(posted_);
    }
    for (const auto& work : posted) work();
}

void BusHost::run(const std::function<void(FakeCommands&)>& work) {
    std::promise<void> done;
    {
        const std::lock_guard lock(mutex_);
        posted_.emplace_back([&] {
            work(commands_);
            done.set_value();
        });
    }
    ::eventfd_write(wake_.get(), 1);
    done.get_future().get();
}

void BusHost::stop() {
    if (!thread_.joinable()) return;
    run([this](FakeCommands&) { stopping_ = true; });
    thread_.join();
}

void fill(FakeCommands& commands) {
    engine::CertificateView gateway;
    gateway.id = "gw.example+0a1b2c3d";
    gateway.names = {"gw.example", "www.gw.example"};
    gateway.services = {"web-ui"};
    gateway.state = "local";
    gateway.keyBackend = "tpm";
    gateway.notAfter = 1'800'000'000;
    gateway.lastError = "order: the CA answered HTML";
    gateway.lastProblem = "caf\xE9";  // as a server in Latin-1 sends it
    commands.shown.put(gateway);
    engine::CertificateView used;
    used.id = "used.example";
    used.names = {"used.example"};
    used.state = "acme";
    used.lostOrders = 1;
    used.lastLostOrder = 1'700'000'000;
    commands.shown.put(used);
    engine::ServiceView service;
    service.name = "web-ui";
    service.deployments = {
        {"used.example", 2, 1, "rolled-back", "the old leaf was served", 1'700'000'000, 1'800'000'000}};
    commands.shown.put(service);
    engine::AuthorityView root;
    root.id = "root-1";
    root.role = "root";
    root.state = "in-force";
    root.certificatePem = testing_support::readFile(CERTMGR_TEST_ROOT_PEM);
    commands.shown.put(root);
    engine::UploadView upload;
    upload.id = "7";
    upload.names = {"*.gw.example"};
    upload.issuer = "CN=Company issuing";
    upload.notAfter = 1'800'000'000;
    commands.shown.put(upload);
}

engine::AlarmView sampleAlarm() {
    return {"failing:gw.example", "failing", "warning", "gw.example", "the CA | refused", 1'700'000'000};
}

Answer call(sd_bus* bus, const std::string& path, const std::string& interface, const std::string& member,
            const char* types, ...) {
    sd_bus_message* created = nullptr;
    check(sd_bus_message_new_method_call(bus, &created, serviceName, path.c_str(), interface.c_str(),
                                         member.c_str()),
          "sd_bus_message_new_method_call");
    const Message message(created);
    if (types != nullptr) {
        std::va_list values;
        va_start(values, types);
        const int appended = sd_bus_message_appendv(created, types, values);
        va_end(values);
        check(appended, "sd_bus_message_appendv");
    }
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* reply = nullptr;
    sd_bus_call(bus, created, 20'000'000, &error, &reply);
    Answer answer{error.name ? error.name : "", error.message ? error.message : "", Message(reply)};
    sd_bus_error_free(&error);
    return answer;
}

}  // namespace certmgr::bus
