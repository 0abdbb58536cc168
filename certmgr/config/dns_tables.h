// The tables [[dns]] of certmgr.toml.
#pragma once

#include "certmgr/acme/dns_settings.h"
#include "certmgr/config/table_reader.h"

namespace certmgr::config {

acme::DnsSettings readDns(TableReader reader);

// "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353".
bool readServer(TableReader& reader, std::string_view key, net::DnsServer& target);

}  // namespace certmgr::config
