// What a certificate must be by itself, wherever it stands in a chain: the rules of RFC 5280 and of the
// CA/Browser Forum's Baseline Requirements that X509_verify_cert leaves out, and the ones an upload reports
// one by one.
#pragma once

#include <string>
#include <vector>

#include "certmgr/core/clock.h"
#include "hal/handle.h"

namespace certmgr::crypto {

struct Finding {
    std::string code;     // "weak-key", "wrong-usage", …: for programs
    std::string message;  // what was found and what was expected
    bool operator==(const Finding&) const = default;
};

enum class Position { leaf, intermediate, anchor };

// All that is wrong, in the order of the certificate's fields. Codes: "bad-serial", "weak-key",
// "weak-signature", "not-a-ca", "ca-as-leaf", "wrong-usage", "bad-names", "bad-extension". An anchor is
// trusted by its key, so its own signature is not judged.
std::vector<Finding> checkProfile(const X509& certificate, Position position);

// "expired" or "not-yet-valid"; both ends belong to the validity (RFC 5280 4.1.2.5).
std::vector<Finding> checkValidity(const X509& certificate, TimePoint now);

}  // namespace certmgr::crypto
