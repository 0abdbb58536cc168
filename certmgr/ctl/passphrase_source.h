// Where a passphrase comes from: never the command line, which every process on the box can read.
#pragma once

#include <cstddef>

#include "hal/handle.h"

namespace certmgr::ctl {

inline constexpr std::size_t maxPassphrase = 1024;

// Sealed memfds with a passphrase, of which nothing stays behind in this process. Failure(refused): there is
// no terminal, it cannot be read, or it has more than 1 KiB.
hal::UniqueFd askPassphrase();         // on the controlling terminal, without echo
hal::UniqueFd askNewPassphrase();      // there too, twice the same and not empty
hal::UniqueFd passphraseFrom(int fd);  // the first line that `fd` gives; what follows the line is left there

}  // namespace certmgr::ctl
