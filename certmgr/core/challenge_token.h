// RFC 8555 8.3: "It MUST NOT contain any characters outside the base64url alphabet". Here it is the name of a
// file too.
#pragma once

#include <string_view>

namespace certmgr {

// Of at most 128 characters; those of the known CAs have 43.
bool isChallengeToken(std::string_view text) noexcept;

}  // namespace certmgr
