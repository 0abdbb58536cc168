// The encapsulation of RFC 7468, without looking into the blocks: a private key is found and counted, never
// decoded.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace certmgr::crypto {

inline constexpr std::size_t maximumPemSize = 256 * 1024;
inline constexpr std::size_t maximumCertificates = 20;

struct PemBlock {
    std::string_view label;  // "CERTIFICATE"
    std::string_view text;   // from the first dash of BEGIN to the last of END, inside the text that was read
    bool certificate() const noexcept { return label == "CERTIFICATE" || label == "X509 CERTIFICATE"; }
    bool privateKey() const noexcept { return label.ends_with("PRIVATE KEY"); }
};

// In the order of the text; what stands between the blocks is skipped (RFC 7468 2). Throws Error(rejected):
// "too-large" above maximumPemSize, "bad-pem" where a block is cut off.
std::vector<PemBlock> pemBlocks(std::string_view text);

}  // namespace certmgr::crypto
