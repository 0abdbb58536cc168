// Where an upload and its passphrase come from.
#pragma once

#include <string>

#include "hal/handle.h"

namespace certmgr::ctl {

inline constexpr std::size_t maxUpload = 256 * 1024;  // certmgrd reads no more either
inline constexpr std::size_t maxPassphrase = 1024;

// A descriptor that can be handed to certmgrd: the file itself, or for "-" a sealed memfd with what standard
// input gave, which may be a terminal or a socket. Failure(refused): unreadable, or too large.
hal::UniqueFd openUpload(const std::string& file);

// Sealed memfds with a passphrase: asked for on the controlling terminal, without echo, or the first line
// that `fd` gives; what follows the line is left there. Nothing of it stays behind in this process.
// Failure(refused): no terminal, unreadable, or more than 1 KiB.
hal::UniqueFd askPassphrase();
hal::UniqueFd passphraseFrom(int fd);

}  // namespace certmgr::ctl
