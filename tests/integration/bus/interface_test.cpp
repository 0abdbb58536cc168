// org.certmgr1(7) and the service name the same methods, options and properties.
#include <regex>
#include <sstream>

#include <gtest/gtest.h>

#include "certmgr/bus/names.h"
#include "tests/integration/bus/introspection.h"

namespace certmgr::bus {
namespace {

std::map<std::string, InterfaceDescription> documented() {
    std::istringstream page(testing_support::readFile(CERTMGR_ROOTFS "/usr/share/man/man7/org.certmgr1.7"));
    static const std::regex heading(R"re(\.SH "INTERFACE (\S+)")re");
    static const std::regex property(R"re(\.BR (\w+) " \(property ([^)]+)\)")re");
    static const std::regex method(R"re(\.BR (\w+) "\(([^)]*)\) \\\(->.*)re");
    std::map<std::string, InterfaceDescription> interfaces;
    InterfaceDescription* current = nullptr;
    for (std::string line; std::getline(page, line);) {
        std::smatch found;
        if (std::regex_match(line, found, heading)) {
            current = &interfaces[found[1]];
        } else if (line.starts_with(".SH")) {
            current = nullptr;
        } else if (current != nullptr && std::regex_match(line, found, property)) {
            current->properties[found[1]] = found[2];
        } else if (current != nullptr && std::regex_match(line, found, method)) {
            // "as names, a{sv} options" without the names
            current->methods[found[1]] = std::regex_replace(found[2].str(), std::regex(" \\w+(, )?"), "");
        }
    }
    return interfaces;
}

TEST(Interface, IsAsDocumented) {
    BusHost host;
    host.run([](testing_support::FakeCommands& commands) {
        commands.reissue("used.example");
        commands.shown.put(sampleAlarm());
    });
    const auto bus = host.bus.connect();
    std::map<std::string, InterfaceDescription> found;
    for (const char* path :
         {rootPath, "/org/certmgr1/certificate/used_2eexample", "/org/certmgr1/service/web_2dui",
          "/org/certmgr1/authority/root_2d1", "/org/certmgr1/upload/_37", "/org/certmgr1/job/_31",
          "/org/certmgr1/alarm/failing_3agw_2eexample"})
        found.merge(introspect(bus.get(), path));
    const auto pages = documented();
    ASSERT_EQ(found.size(), 10U);
    ASSERT_EQ(pages.size(), 10U);
    for (const auto& [name, interface] : found) {
        ASSERT_TRUE(pages.contains(name)) << name;
        EXPECT_EQ(interface.methods, pages.at(name).methods) << name;
        EXPECT_EQ(interface.properties, pages.at(name).properties) << name;
    }
}

}  // namespace
}  // namespace certmgr::bus
