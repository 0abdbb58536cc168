// CAs that everybody may know: a file each, NAME.toml in a folder ca.d, so that [[acme.ca]] needs but the
// name.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "certmgr/acme/issue.h"
#include "certmgr/config/table_reader.h"

namespace certmgr::config {

struct KnownCa {
    acme::CaSettings settings;         // what a table of the same name begins with
    bool externalAccountOnly = false;  // it takes only accounts of its customers (RFC 8555 7.3.4)
    std::string documentation;         // URL, for people
};

// By name. A file of the same name in a later directory replaces the earlier one whole; directories that are
// not there are passed over. Throws Error(misconfigured, "bad-config").
std::map<std::string, KnownCa> loadKnownCas(const std::vector<std::filesystem::path>& directories);

// What both a file and a table of the settings may say of a CA.
void readOffer(TableReader& reader, acme::CaSettings& ca);

}  // namespace certmgr::config
