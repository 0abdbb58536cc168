// What comes by a descriptor: an upload, a request, a passphrase.
#pragma once

#include <stop_token>
#include <string_view>

#include "certmgr/crypto/secret_text.h"
#include "hal/handle.h"

namespace certmgr::engine {

// Reads a file, pipe or memfd from where it stands to its end. Error(rejected): "bad-upload" for anything
// else and for a pipe that stays silent for ten seconds or is not whole after a minute, "too-large" above
// `limit` octets; "cancelled" (transient) where it was stopped. `what`: "the upload".
crypto::SecretText readSecret(const hal::UniqueFd& fd, std::size_t limit, std::string_view what,
                              const std::stop_token& stop);

// At most crypto::maximumPassphrase. A person's often comes with the end of its line, which is left out.
crypto::SecretText readPassphrase(const hal::UniqueFd& fd, const std::stop_token& stop);

}  // namespace certmgr::engine
