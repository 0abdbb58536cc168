#include "certmgr/acme/solvers/account_label.h"

#include <cstdint>
#include <string_view>

#include "certmgr/crypto/digest.h"

namespace certmgr::acme {

// The draft: "_" and, in lower case, base32 of the first ten octets of the URL's SHA-256 digest. Eighty bits
// are sixteen characters, with nothing to pad.
std::string accountLabel(const std::string& accountUrl) {
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    constexpr std::size_t octets = 10;
    const auto digest = crypto::sha256(accountUrl);
    std::string label = "_";
    std::uint32_t bits = 0;
    unsigned int waiting = 0;
    for (std::size_t i = 0; i < octets; ++i) {
        bits = bits << 8U | digest.at(i);
        for (waiting += 8; waiting >= 5; waiting -= 5) label += alphabet[bits >> (waiting - 5) & 31U];
    }
    return label;
}

}  // namespace certmgr::acme
