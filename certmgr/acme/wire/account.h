// RFC 8555 7.1.2, 7.1.2.1 and 7.3
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace certmgr::acme::wire {

struct Account {
    std::optional<std::string> orders;  // URL of the list; many CAs keep none
};

Account parseAccount(std::string_view document);
std::vector<std::string> parseOrdersList(std::string_view document);

// `externalBinding`: the JWS of 7.3.4; empty: none.
std::string newAccountPayload(const std::vector<std::string>& contacts, bool termsAgreed,
                              const std::string& externalBinding = "");
std::string contactsPayload(const std::vector<std::string>& contacts);  // 7.3.2
std::string existingAccountPayload();                                   // 7.3.1
std::string deactivationPayload();                                      // 7.3.6
// 7.3.5; `oldKey`: its JWK.
std::string keyChangePayload(const std::string& accountUrl, const std::string& oldKey);

}  // namespace certmgr::acme::wire
