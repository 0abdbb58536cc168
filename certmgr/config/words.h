// What the files' values may be, in the words of their errors.
#pragma once

#include <algorithm>
#include <string_view>

#include "certmgr/core/ascii.h"

namespace certmgr::config {

constexpr std::string_view algorithmWords =
    "\"ec-p256\", \"ec-p384\", \"rsa-2048\", \"rsa-3072\", \"rsa-4096\"";
constexpr std::string_view policyWords = "\"tpm\", \"sealed\", \"file\", \"prefer-tpm\"";
constexpr std::string_view usageWords = "\"server\", \"inspection-ca\"";
constexpr std::string_view probeWords =
    "\"https\", \"tls\", \"smtp\", \"imap\", \"pop3\", \"https-proxy\", \"command\", \"none\"";
constexpr std::string_view hookWords = "\"lego-exec\", \"dehydrated\", \"acme.sh\"";
constexpr std::string_view portOpeningWords = "\"none\", \"nftables\"";
constexpr std::string_view familyWords = "\"inet\", \"ip\", \"ip6\"";

// [a-z0-9-]+: names of services and CAs, which come to stand in paths.
inline bool isPlainName(std::string_view text) {
    return !text.empty() && text.size() <= 64 &&
           std::all_of(text.begin(), text.end(), [](char c) { return isLower(c) || isDigit(c) || c == '-'; });
}

}  // namespace certmgr::config
