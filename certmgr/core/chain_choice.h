// Which of the chains that a CA gives for one certificate is served, and why (RFC 8555 7.4.2). Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/clock.h"

namespace certmgr {

struct ChainLink {
    std::string commonName;  // of its subject
    std::string issuerCommonName;
    std::string issuer;  // the whole name, as RFC 4514 writes it
    std::string sha256;
    TimePoint notBefore;
    TimePoint notAfter;
};
using ChainLinks = std::vector<ChainLink>;  // leaf first, as the CA sent them

struct ChainWish {
    // The common name of a root or another CA of the chain, or the SHA-256 of its certificate: preferred, and
    // not required. Empty: none is.
    std::string preferred;
    std::string rootSubject;  // RFC 4514, of the trust anchor with that SHA-256: CAs leave their root out
    std::optional<TimePoint> now;  // absent: on a clock that is not trusted, no dates are judged
};

// As it is written in the settings; a fingerprint in any case, with colons or without. Absent: it is neither.
std::optional<std::string> preferredChainFrom(std::string_view text);

bool isFingerprint(std::string_view preferred) noexcept;  // of those that it returns

// Whether the CA's own choice is served without a look at the others.
bool goodEnough(const ChainLinks& first, const ChainWish& wish);

// Never one with a certificate that is not valid now. Of the others those go first in which all outlive the
// leaf, for clients fail when the first of them ends; then those that lead where the wish says; then the CA's
// own order.
struct ChainChoice {
    std::optional<std::size_t> index;  // absent: none is valid
    std::string reason;                // a sentence, shown to people
};
ChainChoice chooseChain(const std::vector<ChainLinks>& chains, const ChainWish& wish);

}  // namespace certmgr
