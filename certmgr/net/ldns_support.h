// What the users of libldns share.
#pragma once

#include <optional>  // before ldns.h, which makes a macro of bool
#include <string>

#include <ldns/ldns.h>

#include "hal/handle.h"

namespace certmgr::net {

using LdnsResolver = hal::Handle<ldns_resolver, ldns_resolver_deep_free>;
using LdnsPacket = hal::Handle<ldns_pkt, ldns_pkt_free>;
using LdnsRdata = hal::Handle<ldns_rdf, ldns_rdf_deep_free>;
using LdnsRecord = hal::Handle<ldns_rr, ldns_rr_free>;
using LdnsRecords = hal::Handle<ldns_rr_list, ldns_rr_list_deep_free>;

// Throw Error(misconfigured, "bad-dns-name").
LdnsRdata parsed(ldns_rdf_type type, const std::string& text);
LdnsRdata parsedName(const std::string& name);

// Of /etc/resolv.conf. Throws Error(misconfigured, "dns-unreachable").
LdnsResolver systemResolver();

// In lower case, without the last dot.
std::string nameOf(const ldns_rdf* name);

// Of a TXT record: its strings, joined.
std::string textOf(const ldns_rr* record);

}  // namespace certmgr::net
