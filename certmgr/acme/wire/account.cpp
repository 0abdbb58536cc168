#include "certmgr/acme/wire/account.h"

#include "certmgr/acme/wire/json.h"

namespace certmgr::acme::wire {

Account parseAccount(std::string_view document) {
    return {Object::parse(document, "the account").optionalUrl("orders")};
}

std::vector<std::string> parseOrdersList(std::string_view document) {
    return Object::parse(document, "the account's list of orders").urls("orders");
}

std::string newAccountPayload(const std::vector<std::string>& contacts, bool termsAgreed,
                              const std::string& externalBinding) {
    nlohmann::json payload = nlohmann::json::object();
    if (!contacts.empty()) payload["contact"] = contacts;
    if (termsAgreed) payload["termsOfServiceAgreed"] = true;
    if (!externalBinding.empty()) payload["externalAccountBinding"] = nlohmann::json::parse(externalBinding);
    return payload.dump();
}

std::string contactsPayload(const std::vector<std::string>& contacts) {
    return nlohmann::json{{"contact", contacts}}.dump();
}

std::string existingAccountPayload() {
    return nlohmann::json{{"onlyReturnExisting", true}}.dump();
}

std::string deactivationPayload() {
    return nlohmann::json{{"status", "deactivated"}}.dump();
}

std::string keyChangePayload(const std::string& accountUrl, const std::string& oldKey) {
    return nlohmann::json{{"account", accountUrl}, {"oldKey", nlohmann::json::parse(oldKey)}}.dump();
}

}  // namespace certmgr::acme::wire
