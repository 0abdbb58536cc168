// Who may do what, with a real polkitd and the actions and rules as shipped.
#include <set>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certmgr/bus/names.h"
#include "tests/integration/bus/introspection.h"

namespace certmgr::bus {
namespace {

using testing_support::BusConnection;
using testing_support::FakeCommands;

const std::set<std::string> refusals = {SD_BUS_ERROR_ACCESS_DENIED,
                                        SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED};
constexpr char gateway[] = "/org/certmgr1/certificate/gw_2eexample_2b0a1b2c3d";

Answer getAll(sd_bus* bus, const std::string& path, const std::string& interface) {
    return call(bus, path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface.c_str());
}

Answer askForObjects(sd_bus* bus) {
    return call(bus, rootPath, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
}

Answer reissue(sd_bus* bus) {
    return call(bus, rootPath, managerInterface, "Reissue", "o", gateway);
}

// One call with arguments that fit the signature.
Answer callWithSignature(sd_bus* bus, const std::string& interface, const std::string& method,
                         const std::string& signature) {
    const char* types = signature.c_str();
    if (signature.empty()) return call(bus, rootPath, interface, method);
    if (signature == "asa{sv}") return call(bus, rootPath, interface, method, types, 1, "new.example", 0);
    if (signature == "as") return call(bus, rootPath, interface, method, types, 1, "new.example");
    if (signature == "hb") return call(bus, rootPath, interface, method, types, STDIN_FILENO, 0);
    if (signature == "h") return call(bus, rootPath, interface, method, types, STDIN_FILENO);
    if (signature == "aha{sv}") return call(bus, rootPath, interface, method, types, 1, STDIN_FILENO, 0);
    if (signature == "hha{sv}")
        return call(bus, rootPath, interface, method, types, STDIN_FILENO, STDOUT_FILENO, 0);
    if (signature == "hh") return call(bus, rootPath, interface, method, types, STDIN_FILENO, STDOUT_FILENO);
    if (signature == "hhb")
        return call(bus, rootPath, interface, method, types, STDIN_FILENO, STDIN_FILENO, 0);
    if (signature == "ss") return call(bus, rootPath, interface, method, types, "0badcafe", "superseded");
    if (signature == "sa{sv}") return call(bus, rootPath, interface, method, types, "new.example", 0);
    if (signature == "osa{sv}")
        return call(bus, rootPath, interface, method, types, gateway, "superseded", 0);
    if (signature == "su") return call(bus, rootPath, interface, method, types, "CN=x", 0U);
    if (signature == "s") return call(bus, rootPath, interface, method, types, "letsencrypt");
    if (signature == "b") return call(bus, rootPath, interface, method, types, 1);
    if (signature == "o") return call(bus, rootPath, interface, method, types, gateway);
    ADD_FAILURE() << "the test has no arguments for " << method << "(" << signature << ")";
    return {};
}

TEST(Rights, UserWithoutRightsReadsAndDownloadsTheRoot) {
    BusHost host;
    const BusConnection bus = host.bus.connect(nobody);
    EXPECT_EQ(askForObjects(bus.get()).error, "");
    EXPECT_EQ(getAll(bus.get(), gateway, certificateInterface).error, "");
    EXPECT_EQ(
        call(bus.get(), gateway, "org.freedesktop.DBus.Properties", "Get", "ss", certificateInterface, "Pem")
            .error,
        "");
    EXPECT_EQ(call(bus.get(), rootPath, managerInterface, "GetRootCertificate").error, "");
    for (const char* published : {"GetTrustBundle", "GetRevocationLists", "GetSystemTrust"})
        EXPECT_EQ(call(bus.get(), rootPath, authorityManagerInterface, published).error, "");
    EXPECT_EQ(call(bus.get(), rootPath, authorityManagerInterface, "ListIssued", "x", std::int64_t{0}).error,
              "");
    for (const char* told : {"ListAccounts", "GetBudget"})
        EXPECT_EQ(call(bus.get(), rootPath, acmeInterface, told).error, "");
}

TEST(Rights, UserWithoutRightsIsRefusedEveryOtherMethod) {
    BusHost host;
    const BusConnection bus = host.bus.connect(nobody);
    int refused = 0;
    for (const std::string& path : {std::string(rootPath), std::string(gateway)}) {
        for (const auto& [interface, description] : introspect(bus.get(), path)) {
            for (const auto& [method, signature] : description.methods) {
                if (method.starts_with("Get") || method.starts_with("List")) continue;
                EXPECT_TRUE(
                    refusals.contains(callWithSignature(bus.get(), interface, method, signature).error))
                    << method;
                ++refused;
            }
            for (const auto& [property, type] : description.properties) {
                const Answer answer = call(bus.get(), path, "org.freedesktop.DBus.Properties", "Set", "ssv",
                                           interface.c_str(), property.c_str(), "s", "x");
                EXPECT_NE(answer.error, "") << property;
            }
        }
    }
    EXPECT_EQ(refused, 22);
    host.run([](FakeCommands& commands) { EXPECT_TRUE(commands.shown.jobs().empty()); });
}

TEST(Rights, RootMayDoAllAndIsNotAskedAbout) {
    BusHost host;
    host.polkit.freeze();
    const BusConnection bus = host.bus.connect();
    EXPECT_EQ(askForObjects(bus.get()).error, "");
    EXPECT_EQ(reissue(bus.get()).error, "");
}

TEST(Rights, MembersOfTheGroupOfTheRuleManage) {
    BusHost host;
    EXPECT_EQ(reissue(host.bus.connect(games).get()).error, "");
    EXPECT_TRUE(refusals.contains(reissue(host.bus.connect(daemonUser).get()).error));
}

TEST(Rights, WithoutPolkitEverybodyButRootIsRefused) {
    BusHost host;
    host.polkit.kill();
    const BusConnection member = host.bus.connect(games);
    EXPECT_EQ(reissue(member.get()).error, SD_BUS_ERROR_ACCESS_DENIED);
    EXPECT_EQ(askForObjects(member.get()).error, SD_BUS_ERROR_ACCESS_DENIED);
    EXPECT_EQ(call(member.get(), rootPath, managerInterface, "GetRootCertificate").error, "");
    EXPECT_EQ(reissue(host.bus.connect().get()).error, "");
}

struct Tally {
    int limited = 0;
    int refused = 0;
    int other = 0;
};

int count(sd_bus_message* answer, void* tally, sd_bus_error*) {
    const sd_bus_error* error = sd_bus_message_get_error(answer);
    const std::string name = error != nullptr ? error->name : "";
    Tally& sum = *static_cast<Tally*>(tally);
    ++(name == SD_BUS_ERROR_LIMITS_EXCEEDED ? sum.limited
       : refusals.contains(name)            ? sum.refused
                                            : sum.other);
    return 0;
}

TEST(Rights, TwoHundredUnansweredChecksOfOneUserLockNobodyElseOut) {
    BusHost host;
    host.polkit.freeze();
    const BusConnection flooder = host.bus.connect(nobody);
    const BusConnection member = host.bus.connect(games);
    Tally tally;
    for (int i = 0; i < 200; ++i)
        check(sd_bus_call_method_async(flooder.get(), nullptr, serviceName, rootPath, managerInterface,
                                       "Reissue", count, &tally, "o", gateway),
              "Reissue");
    const auto pump = [&flooder, &tally](int answers) {
        while (tally.limited + tally.refused + tally.other < answers)
            if (check(sd_bus_process(flooder.get(), nullptr), "sd_bus_process") == 0)
                check(sd_bus_wait(flooder.get(), 20'000'000), "sd_bus_wait");
    };
    pump(184);
    EXPECT_EQ(tally.limited, 184);
    EXPECT_EQ(reissue(host.bus.connect().get()).error, "");

    host.polkit.thaw();
    EXPECT_EQ(reissue(member.get()).error, "");
    pump(200);
    EXPECT_EQ(tally.refused, 16);
    EXPECT_EQ(tally.other, 0);
    EXPECT_TRUE(refusals.contains(reissue(flooder.get()).error));  // its share is free again
}

TEST(Upload, TakesFilesAndPipesAndRefusesTheRest) {
    BusHost host;
    const BusConnection bus = host.bus.connect();
    const auto upload = [&bus](int fd) {
        return call(bus.get(), rootPath, managerInterface, "Upload", "hb", fd, 0).error;
    };
    const auto untilRead = [&host] {
        std::string content;
        testing_support::waitUntil("the upload is read", [&] {
            host.run([&](FakeCommands& commands) { content = std::exchange(commands.uploaded, ""); });
            return !content.empty();
        });
        return content;
    };
    const hal::UniqueFd file(::open(CERTMGR_TEST_ROOT_PEM, O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(upload(file.get()), "");
    EXPECT_EQ(untilRead(), testing_support::readFile(CERTMGR_TEST_ROOT_PEM));

    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    hal::UniqueFd reader(ends[0]);
    hal::UniqueFd writer(ends[1]);
    ASSERT_EQ(::write(writer.get(), "-----BEGIN pipe", 15), 15);
    EXPECT_EQ(upload(writer.get()), "org.certmgr1.Error.BadDescriptor");  // not open for reading
    writer = hal::UniqueFd();
    EXPECT_EQ(upload(reader.get()), "");
    EXPECT_EQ(untilRead(), "-----BEGIN pipe");

    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const hal::UniqueFd left(ends[0]);
    const hal::UniqueFd right(ends[1]);
    EXPECT_EQ(upload(left.get()), "org.certmgr1.Error.BadDescriptor");
    const hal::UniqueFd directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    EXPECT_EQ(upload(directory.get()), "org.certmgr1.Error.BadDescriptor");
    const hal::UniqueFd device(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(upload(device.get()), "org.certmgr1.Error.BadDescriptor");
}

TEST(Upload, TakesSeveralFilesAndThePassphraseByADescriptor) {
    BusHost host;
    const BusConnection bus = host.bus.connect();
    const hal::UniqueFd first(::open(CERTMGR_TEST_ROOT_PEM, O_RDONLY | O_CLOEXEC));
    const hal::UniqueFd second(::open(CERTMGR_TEST_ROOT_PEM, O_RDONLY | O_CLOEXEC));
    const hal::UniqueFd secret(::memfd_create("passphrase", MFD_CLOEXEC));
    ASSERT_EQ(::write(secret.get(), "correct horse", 13), 13);
    ASSERT_EQ(::lseek(secret.get(), 0, SEEK_SET), 0);
    const hal::UniqueFd directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto upload = [&](const char* option, const char* type, int value) {
        return call(bus.get(), rootPath, managerInterface, "UploadWithOptions", "aha{sv}", 2, first.get(),
                    second.get(), 1, option, type, value)
            .error;
    };
    EXPECT_EQ(upload("passphrase", "h", directory.get()), "org.certmgr1.Error.BadDescriptor");
    EXPECT_EQ(upload("passphrase", "b", 1), "org.certmgr1.Error.BadOption") << "a secret is no string";
    EXPECT_EQ(upload("password", "b", 1), "org.certmgr1.Error.BadOption");
    EXPECT_EQ(upload("passphrase", "h", secret.get()), "");
    const std::string root = testing_support::readFile(CERTMGR_TEST_ROOT_PEM);
    testing_support::waitUntil("the upload is read", [&] {
        bool read = false;
        host.run([&](FakeCommands& commands) {
            read = commands.uploaded == root + root && commands.passphrase == "correct horse";
        });
        return read;
    });
}

}  // namespace
}  // namespace certmgr::bus
