#include "certmgr/core/challenge_kind.h"

#include <algorithm>

#include "hal/words.h"

namespace certmgr {
namespace {

constexpr hal::Words<ChallengeKind, 5> challengeKinds{{{ChallengeKind::http01, "http-01"},
                                                       {ChallengeKind::tlsAlpn01, "tls-alpn-01"},
                                                       {ChallengeKind::dns01, "dns-01"},
                                                       {ChallengeKind::dnsAccount01, "dns-account-01"},
                                                       {ChallengeKind::dnsPersist01, "dns-persist-01"}}};

}  // namespace

std::string_view toString(ChallengeKind kind) noexcept {
    return hal::wordOf(challengeKinds, kind);
}

std::optional<ChallengeKind> challengeKindFrom(std::string_view text) noexcept {
    return hal::valueNamed(challengeKinds, text);
}

std::string whyNotProvenBy(ChallengeKind kind, const Identifier& identifier) {
    const bool address = identifier.type == Identifier::Type::ip;
    switch (kind) {
        case ChallengeKind::dns01:
            // RFC 8738 7: "the existing "dns-01" challenge MUST NOT be used to validate IP identifiers."
            return address ? "cannot prove an address (RFC 8738 7)" : "";
        case ChallengeKind::dnsAccount01:
        case ChallengeKind::dnsPersist01:
            return address ? "cannot prove an address" : "";
        case ChallengeKind::http01:
            return identifier.wildcard() ? "cannot prove a wildcard (RFC 8555 8.3)" : "";
        case ChallengeKind::tlsAlpn01:
            return identifier.wildcard() ? "cannot prove a wildcard (RFC 8737 3)" : "";
    }
    return "";
}

std::string whyNotProvable(const Identifier& identifier, const std::vector<ChallengeKind>& available) {
    std::string reasons;
    for (const ChallengeKind kind : available) {
        const std::string why = whyNotProvenBy(kind, identifier);
        if (why.empty()) return "";
        reasons += (reasons.empty() ? "" : ", ") + std::string(toString(kind)) + " " + why;
    }
    return "no challenge that is set up can prove " + identifier.value + ": " +
           (reasons.empty() ? "there is none" : reasons);
}

}  // namespace certmgr
