#include "certmgr/core/issued_certificate.h"

#include "hal/words.h"

namespace certmgr {
namespace {

constexpr hal::Words<Purpose, 2> purposes{{{Purpose::server, "server"}, {Purpose::client, "client"}}};
constexpr hal::Words<RevocationReason, 6> reasons{
    {{RevocationReason::unspecified, "unspecified"},
     {RevocationReason::keyCompromise, "key-compromise"},
     {RevocationReason::affiliationChanged, "affiliation-changed"},
     {RevocationReason::superseded, "superseded"},
     {RevocationReason::cessationOfOperation, "cessation-of-operation"},
     {RevocationReason::privilegeWithdrawn, "privilege-withdrawn"}}};

}  // namespace

std::string_view toString(Purpose purpose) noexcept {
    return hal::wordOf(purposes, purpose);
}

std::optional<Purpose> purposeFrom(std::string_view text) noexcept {
    return hal::valueNamed(purposes, text);
}

std::string_view toString(RevocationReason reason) noexcept {
    return hal::wordOf(reasons, reason);
}

std::optional<RevocationReason> revocationReasonFrom(std::string_view text) noexcept {
    return hal::valueNamed(reasons, text);
}

}  // namespace certmgr
