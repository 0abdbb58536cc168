#include "tests/integration/bus/introspection.h"

#include <regex>

namespace certmgr::bus {
namespace {

std::string attribute(const std::string& tag, const std::string& name) {
    std::smatch found;
    return std::regex_search(tag, found, std::regex(" " + name + "=\"([^\"]*)\"")) ? found[1].str() : "";
}

}  // namespace

std::map<std::string, InterfaceDescription> introspect(sd_bus* bus, const std::string& path) {
    const Answer answer = call(bus, path, "org.freedesktop.DBus.Introspectable", "Introspect");
    const char* xml = nullptr;
    check(sd_bus_message_read(answer.message.get(), "s", &xml), "Introspect");
    std::map<std::string, InterfaceDescription> interfaces;
    InterfaceDescription* current = nullptr;
    std::string* arguments = nullptr;
    const std::string text = xml;
    static const std::regex tag("<(interface|method|signal|property|arg) [^>]*>");
    for (std::sregex_iterator i(text.begin(), text.end(), tag); i != std::sregex_iterator(); ++i) {
        const std::string kind = (*i)[1], element = i->str(), name = attribute(element, "name");
        if (kind == "interface") current = name.starts_with("org.certmgr1.") ? &interfaces[name] : nullptr;
        if (current == nullptr) continue;
        if (kind == "method") arguments = &current->methods[name];
        if (kind == "property") current->properties[name] = attribute(element, "type");
        if (kind == "arg" && attribute(element, "direction") == "in")
            *arguments += attribute(element, "type");
    }
    return interfaces;
}

}  // namespace certmgr::bus
