#include "certmgr/acme/wire/order.h"

#include <algorithm>

#include "certmgr/acme/wire/identifier.h"
#include "certmgr/acme/wire/json.h"
#include "certmgr/crypto/jws.h"

namespace certmgr::acme::wire {
namespace {

OrderStatus statusOf(const Object& order) {
    const std::string status = order.text("status");
    if (status == "pending") return OrderStatus::pending;
    if (status == "ready") return OrderStatus::ready;
    if (status == "processing") return OrderStatus::processing;
    if (status == "valid") return OrderStatus::valid;
    if (status == "invalid") return OrderStatus::invalid;
    order.refuse("status \"" + plainWords(status) + "\" is unknown");
}

}  // namespace

Order parseOrder(std::string_view document) {
    const Object object = Object::parse(document, "the order");
    Order order;
    order.status = statusOf(object);
    for (const Object& entry : object.objects("identifiers"))
        order.identifiers.push_back(readIdentifier(entry));
    std::sort(order.identifiers.begin(), order.identifiers.end());
    order.authorizations = object.urls("authorizations");
    if (order.status == OrderStatus::pending && order.authorizations.empty())
        object.refuse("it is pending, and there is no authorization to obtain");
    order.finalize = object.url("finalize");
    if (order.status == OrderStatus::valid) order.certificate = object.url("certificate");
    if (const std::optional<Object> error = object.optionalObject("error")) order.problem = error->dump();
    order.profile = plainWords(object.optionalText("profile").value_or(""));
    return order;
}

std::string newOrderPayload(const std::vector<Identifier>& names, const std::string& replaces,
                            const std::string& profile) {
    nlohmann::json identifiers = nlohmann::json::array();
    for (const Identifier& name : names) identifiers.push_back(writeIdentifier(name));
    nlohmann::json payload{{"identifiers", std::move(identifiers)}};
    if (!replaces.empty()) payload["replaces"] = replaces;
    if (!profile.empty()) payload["profile"] = profile;
    return payload.dump();
}

std::string finalizePayload(std::span<const std::uint8_t> csrDer) {
    const std::string_view bytes(reinterpret_cast<const char*>(csrDer.data()), csrDer.size());
    return nlohmann::json{{"csr", crypto::base64url(bytes)}}.dump();
}

}  // namespace certmgr::acme::wire
