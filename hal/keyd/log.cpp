#include "hal/keyd/log.h"

#include <algorithm>
#include <string>

#include <unistd.h>

namespace hal::keyd {

void log(Priority priority, std::string_view line) {
    std::string text = "<" + std::to_string(static_cast<int>(priority)) + ">";
    text += line;
    std::replace(text.begin(), text.end(), '\n', ' ');
    text += '\n';
    // One write: lines of several threads do not mix. A log that cannot be written is no reason to stop
    // signing.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace hal::keyd
