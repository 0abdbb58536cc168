#include "certmgr/core/issued_certificate.h"

#include <array>
#include <utility>

namespace certmgr {
namespace {

constexpr std::array<std::pair<RevocationReason, std::string_view>, 6> reasons = {
    {{RevocationReason::unspecified, "unspecified"},
     {RevocationReason::keyCompromise, "key-compromise"},
     {RevocationReason::affiliationChanged, "affiliation-changed"},
     {RevocationReason::superseded, "superseded"},
     {RevocationReason::cessationOfOperation, "cessation-of-operation"},
     {RevocationReason::privilegeWithdrawn, "privilege-withdrawn"}}};

}  // namespace

std::string_view toString(Purpose purpose) noexcept {
    switch (purpose) {
        case Purpose::server:
            return "server";
        case Purpose::client:
            return "client";
    }
    return "";
}

std::optional<Purpose> purposeFrom(std::string_view text) noexcept {
    for (const Purpose purpose : {Purpose::server, Purpose::client})
        if (toString(purpose) == text) return purpose;
    return std::nullopt;
}

std::string_view toString(RevocationReason reason) noexcept {
    for (const auto& [value, word] : reasons)
        if (value == reason) return word;
    return "";
}

std::optional<RevocationReason> revocationReasonFrom(std::string_view text) noexcept {
    for (const auto& [value, word] : reasons)
        if (word == text) return value;
    return std::nullopt;
}

}  // namespace certmgr
