#include "certmgr/core/challenge_token.h"

#include <algorithm>

namespace certmgr {

bool isChallengeToken(std::string_view text) noexcept {
    constexpr std::size_t maxLength = 128;
    const auto base64url = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    };
    return !text.empty() && text.size() <= maxLength && std::all_of(text.begin(), text.end(), base64url);
}

}  // namespace certmgr
