// What [[acme.ca]] and the profiles of services say alike of an order.
#pragma once

#include "certmgr/config/table_reader.h"
#include "certmgr/core/certificate.h"

namespace certmgr::config {

// The keys `key` and `key`_required. One that is named takes the place of `profile` whole.
void readAcmeProfile(TableReader& reader, const std::string& key, AcmeProfile& profile);

void readPreferredChain(TableReader& reader, std::string& preferred);

}  // namespace certmgr::config
