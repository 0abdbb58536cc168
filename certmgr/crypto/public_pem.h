// What is public of a PEM file, for a process that may read more than the one who wrote the file.
#pragma once

#include <string>
#include <string_view>

namespace certmgr::crypto {

// All certificates, or all revocation lists, parsed and written anew, in their order; nothing else of `pem`,
// a private key least of all. Empty where there are none. Throws Error(rejected, "bad-pem") where one is
// damaged.
std::string certificatesOf(std::string_view pem);
std::string revocationListsOf(std::string_view pem);

}  // namespace certmgr::crypto
