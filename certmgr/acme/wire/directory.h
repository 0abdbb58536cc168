// RFC 8555 7.1.1
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace certmgr::acme::wire {

struct Directory {
    std::string newNonce;
    std::string newAccount;
    std::string newOrder;
    std::optional<std::string> renewalInfo;  // RFC 9773 4.1
    std::optional<std::string> keyChange;
    std::optional<std::string> revokeCert;  // RFC 8555 7.6
    std::string termsOfService;             // as the CA gives it; empty: none
    bool externalAccountRequired = false;
    std::vector<std::string> profiles;  // draft-ietf-acme-profiles 3, sorted
    std::vector<std::string>
        caaIdentities;  // as a CAA record names the CA (RFC 8659); empty: it does not say
};

Directory parseDirectory(std::string_view document);

}  // namespace certmgr::acme::wire
