// Name servers that prove names by dns-01, from the settings.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "certmgr/net/dns_client.h"

namespace certmgr::acme {

struct DnsSettings {
    std::vector<std::string> zones;       // lower case, without the last dot
    net::DnsServer server;                // takes the updates
    std::vector<net::DnsServer> servers;  // that a CA may ask; empty: those of the zone's NS records
    std::string keyName;
    std::string algorithm = "hmac-sha256";
    std::filesystem::path secretFile;
    std::chrono::seconds patience{120};  // for the other servers to have a record
};

}  // namespace certmgr::acme
