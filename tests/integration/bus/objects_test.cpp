// Objects, properties and signals, as a client sees them.
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "certmgr/bus/names.h"
#include "tests/integration/bus/bus_host.h"

namespace certmgr::bus {
namespace {

using engine::CertificateView;
using engine::Views;
using testing_support::BusConnection;
using testing_support::FakeCommands;

constexpr char usedPath[] = "/org/certmgr1/certificate/used_2eexample";

std::string property(sd_bus* bus, const char* path, const char* interface, const char* name) {
    const Answer answer = call(bus, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, name);
    if (!answer.error.empty()) return answer.error;
    const char* text = nullptr;
    check(sd_bus_message_read(answer.message.get(), "v", "s", &text), name);
    return text;
}

// Path -> names of the properties of the org.certmgr1 interfaces.
std::map<std::string, std::set<std::string>> managedObjects(sd_bus* bus) {
    const Answer answer = call(bus, rootPath, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
    sd_bus_message* const reply = answer.message.get();
    std::map<std::string, std::set<std::string>> objects;
    const char* text = nullptr;
    check(sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}"), answer.error.c_str());
    while (check(sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}"), "object") > 0) {
        check(sd_bus_message_read(reply, "o", &text), "path");
        std::set<std::string>& properties = objects[text];
        check(sd_bus_message_enter_container(reply, 'a', "{sa{sv}}"), "interfaces");
        while (check(sd_bus_message_enter_container(reply, 'e', "sa{sv}"), "interface") > 0) {
            check(sd_bus_message_read(reply, "s", &text), "interface");
            check(sd_bus_message_enter_container(reply, 'a', "{sv}"), "properties");
            while (check(sd_bus_message_enter_container(reply, 'e', "sv"), "property") > 0) {
                check(sd_bus_message_read(reply, "s", &text), "property");
                properties.insert(text);
                check(sd_bus_message_skip(reply, "v"), "value");
                check(sd_bus_message_exit_container(reply), "property");
            }
            check(sd_bus_message_exit_container(reply), "properties");
            check(sd_bus_message_exit_container(reply), "interface");
        }
        check(sd_bus_message_exit_container(reply), "interfaces");
        check(sd_bus_message_exit_container(reply), "object");
    }
    return objects;
}

TEST(Objects, PropertiesAreTheViews) {
    BusHost host;
    const BusConnection bus = host.bus.connect();
    EXPECT_EQ(property(bus.get(), usedPath, certificateInterface, "Id"), "used.example");
    EXPECT_EQ(property(bus.get(), usedPath, certificateInterface, "State"), "acme");
    EXPECT_EQ(property(bus.get(), usedPath, certificateInterface, "Pem"), "PEM of used.example");
    EXPECT_EQ(property(bus.get(), "/org/certmgr1/service/web_2dui", serviceInterface, "Name"), "web-ui");
    EXPECT_EQ(property(bus.get(), "/org/certmgr1/certificate/absent", certificateInterface, "Id"),
              SD_BUS_ERROR_UNKNOWN_OBJECT);
}

TEST(Objects, TextThatIsNotUtf8DoesNotCostTheConnection) {
    BusHost host;
    EXPECT_EQ(property(host.bus.connect().get(), "/org/certmgr1/certificate/gw_2eexample_2b0a1b2c3d",
                       certificateInterface, "LastProblem"),
              "caf\xEF\xBF\xBD");
}

TEST(Objects, ThousandCertificatesAreListedWithoutTheirPem) {
    BusHost host;
    host.run([](FakeCommands& commands) {
        for (int i = 0; i < 1000; ++i) {
            CertificateView view;
            view.id = "host" + std::to_string(i) + ".example";
            view.names = {view.id};
            commands.shown.put(view);
        }
    });
    const auto objects = managedObjects(host.bus.connect(nobody).get());
    int certificates = 0;
    for (const auto& [path, properties] : objects) {
        EXPECT_FALSE(properties.contains("Pem")) << path;
        certificates += path.starts_with(certificatePath) && properties.contains("NotAfter");
    }
    EXPECT_EQ(certificates, 1002);
    EXPECT_EQ(objects.count("/org/certmgr1/authority/root_2d1"), 1U);
}

// The signals of the box, each as its member, the path it is about, and what has changed.
class Recorder {
  public:
    explicit Recorder(sd_bus* bus) : bus_(bus) {
        check(sd_bus_add_match(bus, nullptr,
                               "type='signal',sender='org.certmgr1',path_namespace='/org/certmgr1'", record,
                               this),
              "sd_bus_add_match");
    }

    std::vector<std::string> await(std::size_t count) {
        while (signals_.size() < count) {
            if (check(sd_bus_process(bus_, nullptr), "sd_bus_process") > 0) continue;
            if (sd_bus_wait(bus_, 20'000'000) <= 0) break;
        }
        return signals_;
    }

  private:
    static int record(sd_bus_message* signal, void* recorder, sd_bus_error*) {
        const char* path = sd_bus_message_get_path(signal);
        if (path == std::string(rootPath)) check(sd_bus_message_read(signal, "o", &path), "signal");
        std::string text = std::string(sd_bus_message_get_member(signal)) + " " + path;
        if (sd_bus_message_has_signature(signal, "sa{sv}as") > 0) text += changedIn(signal);
        static_cast<Recorder*>(recorder)->signals_.push_back(text);
        return 0;
    }

    static std::string changedIn(sd_bus_message* signal) {
        std::string names;
        check(sd_bus_message_skip(signal, "s"), "sd_bus_message_skip");
        check(sd_bus_message_enter_container(signal, 'a', "{sv}"), "sd_bus_message_enter_container");
        while (check(sd_bus_message_enter_container(signal, 'e', "sv"), "sd_bus_message_enter_container") >
               0) {
            const char* name = nullptr;
            check(sd_bus_message_read(signal, "s", &name), "sd_bus_message_read");
            check(sd_bus_message_skip(signal, "v"), "sd_bus_message_skip");
            check(sd_bus_message_exit_container(signal), "sd_bus_message_exit_container");
            names += std::string(" ") + name;
        }
        return names;
    }

    sd_bus* bus_;
    std::vector<std::string> signals_;
};

TEST(Objects, ChangesAreSignalledAndEqualValuesAreNot) {
    BusHost host;
    const BusConnection bus = host.bus.connect(nobody);
    Recorder recorder(bus.get());
    host.run([](FakeCommands& commands) {
        CertificateView view = commands.shown.certificates().at("used.example");
        commands.shown.put(view);
        view.state = "local";
        commands.shown.put(view);
        view.persistName = "used.example";  // no property
        commands.shown.put(view);
        view.id = "new.example";
        commands.shown.put(view);
        commands.shown.remove(Views::Kind::certificate, "new.example");
        commands.shown.remove(Views::Kind::certificate, "absent.example");
    });
    const std::string newPath = "/org/certmgr1/certificate/new_2eexample";
    EXPECT_EQ(recorder.await(3),
              (std::vector<std::string>{std::string("PropertiesChanged ") + usedPath + " State",
                                        "InterfacesAdded " + newPath, "InterfacesRemoved " + newPath}));
}

TEST(Objects, AlarmsComeGetWorseAndGo) {
    BusHost host;
    const BusConnection bus = host.bus.connect(nobody);
    Recorder recorder(bus.get());
    const std::string path = "/org/certmgr1/alarm/failing_3agw_2eexample";
    host.run([](FakeCommands& commands) {
        engine::AlarmView alarm = sampleAlarm();
        commands.shown.put(alarm);
        commands.shown.put(alarm);
        alarm.severity = "critical";
        commands.shown.put(alarm);
    });
    EXPECT_EQ(property(bus.get(), path.c_str(), alarmInterface, "Severity"), "critical");
    EXPECT_EQ(managedObjects(bus.get()).at(path),
              (std::set<std::string>{"Id", "Kind", "Severity", "Subject", "Sentence", "Since"}));
    host.run([](FakeCommands& commands) {
        commands.shown.remove(Views::Kind::alarm, sampleAlarm().id);
        commands.shown.remove(Views::Kind::alarm, sampleAlarm().id);
    });
    EXPECT_EQ(recorder.await(3),
              (std::vector<std::string>{"InterfacesAdded " + path, "PropertiesChanged " + path + " Severity",
                                        "InterfacesRemoved " + path}));
}

TEST(Manager, ErrorsCarryTheCodeAndTheSentence) {
    BusHost host;
    const BusConnection bus = host.bus.connect();
    const Answer bad = call(bus.get(), rootPath, managerInterface, "Request", "asa{sv}", 1, "two words", 0);
    EXPECT_EQ(bad.error, "org.certmgr1.Error.BadName");
    EXPECT_EQ(bad.text, "\"two words\" has a blank");
    EXPECT_EQ(call(bus.get(), rootPath, managerInterface, "Delete", "o", usedPath).error,
              "org.certmgr1.Error.InUse");
    EXPECT_EQ(call(bus.get(), rootPath, managerInterface, "Delete", "o", "/elsewhere").error,
              "org.certmgr1.Error.CertificateNotFound");
    EXPECT_EQ(call(bus.get(), rootPath, managerInterface, "CheckService", "o", usedPath).error,
              "org.certmgr1.Error.ServiceNotFound");
    for (const char* option : {"key-policy", "colour"})
        EXPECT_EQ(call(bus.get(), rootPath, managerInterface, "Request", "asa{sv}", 1, "a.example", 1, option,
                       "b", 1)
                      .error,
                  "org.certmgr1.Error.BadOption");
}

TEST(Manager, OptionsReachTheEngine) {
    BusHost host;
    const Answer answer =
        call(host.bus.connect().get(), rootPath, managerInterface, "Request", "asa{sv}", 2, "a.example",
             "b.example", 5, "key-policy", "s", "tpm", "key-algorithm", "s", "ec-p384", "acme", "b", 0,
             "acme-profile", "s", "shortlived", "acme-profile-required", "b", 1);
    ASSERT_EQ(answer.error, "");
    host.run([](FakeCommands& commands) {
        ASSERT_EQ(commands.requests.size(), 1U);
        EXPECT_EQ(commands.requests[0].names, (std::vector<std::string>{"a.example", "b.example"}));
        EXPECT_EQ(commands.requests[0].keyPolicy, "tpm");
        EXPECT_EQ(commands.requests[0].keyAlgorithm, "ec-p384");
        EXPECT_FALSE(commands.requests[0].acme);
        EXPECT_EQ(commands.requests[0].acmeProfile, (AcmeProfile{"shortlived", true}));
    });
}

TEST(Service, SecondOwnerOfTheNameIsRefused) {
    BusHost host;
    const BusConnection bus = host.bus.connect();
    FakeCommands commands;
    Service second(bus.get(), commands, commands.shown);
    EXPECT_THROW(second.acquireName(), hal::Error);
}

}  // namespace
}  // namespace certmgr::bus
