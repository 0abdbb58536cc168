#include "certmgr/core/challenge_token.h"

#include <algorithm>

#include "certmgr/core/ascii.h"

namespace certmgr {

bool isChallengeToken(std::string_view text) noexcept {
    constexpr std::size_t maxLength = 128;
    const auto base64url = [](char c) { return isLetterOrDigit(c) || c == '-' || c == '_'; };
    return !text.empty() && text.size() <= maxLength && std::all_of(text.begin(), text.end(), base64url);
}

}  // namespace certmgr
