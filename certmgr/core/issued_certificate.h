// A certificate that the box's own CA issued to somebody else: a VPN user, a device, another server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/alternative_name.h"
#include "certmgr/core/certificate.h"

namespace certmgr {

enum class Purpose { server, client };
std::string_view toString(Purpose purpose) noexcept;
std::optional<Purpose> purposeFrom(std::string_view text) noexcept;

// RFC 5280 5.3.1, as far as it is for end entities; the values are those of CRLReason.
enum class RevocationReason {
    unspecified = 0,
    keyCompromise = 1,
    affiliationChanged = 3,
    superseded = 4,
    cessationOfOperation = 5,
    privilegeWithdrawn = 9,
};
std::string_view toString(RevocationReason reason) noexcept;  // "key-compromise"
std::optional<RevocationReason> revocationReasonFrom(std::string_view text) noexcept;

struct Revocation {
    TimePoint when;
    RevocationReason reason = RevocationReason::unspecified;
    bool operator==(const Revocation&) const = default;
};

struct IssuedCertificate {
    std::int64_t number = 0;  // running; 0: not stored yet
    std::string authority;    // id of the issuing CA
    Purpose purpose = Purpose::client;
    std::vector<AlternativeName> names;
    std::string certificatePem;
    CertificateSummary summary;
    TimePoint issued;
    std::optional<Revocation> revocation;
};

}  // namespace certmgr
