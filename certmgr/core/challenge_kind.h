// The ways to prove control of an identifier, and which identifiers each of them can prove.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/identifier.h"

namespace certmgr {

enum class ChallengeKind {
    http01,        // RFC 8555 8.3
    tlsAlpn01,     // RFC 8737
    dns01,         // RFC 8555 8.4
    dnsAccount01,  // draft-ietf-acme-dns-account-label
    dnsPersist01,  // draft-ietf-acme-dns-persist
};
std::string_view toString(ChallengeKind kind) noexcept;
std::optional<ChallengeKind> challengeKindFrom(std::string_view text) noexcept;

// "cannot prove a wildcard (RFC 8555 8.3)": for people, after the name of the kind. Empty: it can.
std::string whyNotProvenBy(ChallengeKind kind, const Identifier& identifier);

// Why none of these kinds can prove it, as a sentence; empty: one can.
std::string whyNotProvable(const Identifier& identifier, const std::vector<ChallengeKind>& kinds);

}  // namespace certmgr
