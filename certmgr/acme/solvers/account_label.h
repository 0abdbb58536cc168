// Where the proof of one account stands, so that several accounts prove one name side by side
// (draft-ietf-acme-dns-account-label).
#pragma once

#include <string>

namespace certmgr::acme {

// "_ujmmovf2vn55tgye" of the account's URL, to stand before "._acme-challenge.NAME".
std::string accountLabel(const std::string& accountUrl);

}  // namespace certmgr::acme
