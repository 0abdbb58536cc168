// The subject of a CA, as an administrator types it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hal/handle.h"

namespace certmgr::crypto {

struct NameAttribute {
    std::string type;  // "C", "ST", "L", "O", "OU" or "CN"
    std::string value;
    bool operator==(const NameAttribute&) const = default;
};
using DistinguishedName = std::vector<NameAttribute>;

// "O=Example,CN=Example CA" with the escapes of RFC 4514 2.4; in the order C, ST, L, O, OU, CN in which names
// are encoded, whichever way round they were typed. Throws Error(rejected, "bad-subject"): an unknown
// attribute, one that is empty or too long (RFC 5280 appendix A.1), none at all, no CN.
DistinguishedName parseDistinguishedName(std::string_view text);

// What stands in a subject, as far as its attributes are among those six.
DistinguishedName subjectOf(const X509_NAME& name);

hal::X509NamePtr nameOf(const DistinguishedName& name);

}  // namespace certmgr::crypto
