// How TXT records come into zones of the administrator's, to prove names by dns-01: from the settings.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "certmgr/net/dns_client.h"

namespace certmgr::acme {

// By dynamic updates (RFC 2136).
struct DnsUpdateSettings {
    net::DnsServer server;  // the primary
    std::string keyName;
    std::string algorithm = "hmac-sha256";
    std::filesystem::path secretFile;
};

// How another client calls the programs that people have for it already.
enum class HookForm { legoExec, dehydrated, acmeSh };

// By a program.
struct DnsHookSettings {
    HookForm form = HookForm::legoExec;
    std::filesystem::path program;
    // Runs the program where that is a file of acme.sh: functions to be sourced.
    std::filesystem::path adapter = "/usr/libexec/certmgr/acme-sh-hook";
    std::filesystem::path environmentFile;  // see readSecretVariables(); empty: none
    std::chrono::seconds limit{120};        // for one run
};

struct DnsSettings {
    std::vector<std::string> zones;       // lower case, without the last dot
    std::vector<net::DnsServer> servers;  // that a CA may ask; empty: those of the zone's NS records
    std::chrono::seconds patience{120};   // for all of them to have a record
    std::variant<DnsUpdateSettings, DnsHookSettings> means;
};

}  // namespace certmgr::acme
