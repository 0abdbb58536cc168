#include "certmgr/acme/wire/identifier.h"

#include "certmgr/core/ascii.h"

namespace certmgr::acme::wire {

Identifier readIdentifier(const Object& object) {
    const std::string type = object.text("type");
    std::string value = lowered(plainWords(object.text("value")));
    if (type == "dns") return {Identifier::Type::dns, std::move(value)};
    if (type == "ip") return {Identifier::Type::ip, std::move(value)};
    object.refuse("type \"" + plainWords(type) + "\" is neither \"dns\" nor \"ip\"");
}

nlohmann::json writeIdentifier(const Identifier& identifier) {
    return {{"type", identifier.type == Identifier::Type::dns ? "dns" : "ip"}, {"value", identifier.value}};
}

}  // namespace certmgr::acme::wire
