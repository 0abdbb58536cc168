// How a name is looked at before its CA is asked, from the settings.
#pragma once

#include <string>
#include <vector>

#include "certmgr/net/dns_client.h"

namespace certmgr::acme {

struct PreflightSettings {
    bool enabled = false;
    bool publicOnly = true;  // the CAs are out on the net
    net::DnsServer resolver;
    std::vector<std::string> publicAddresses;  // of the NAT or the proxy before the box
};

// What the codes of its errors begin with.
inline constexpr const char* preflightCode = "preflight-";

}  // namespace certmgr::acme
