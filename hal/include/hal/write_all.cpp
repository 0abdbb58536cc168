#include "hal/write_all.h"

#include <cerrno>

#include <unistd.h>

namespace hal {

int writeAll(int fd, std::string_view content) noexcept {
    while (!content.empty()) {
        const ssize_t count = ::write(fd, content.data(), content.size());
        if (count < 0 && errno != EINTR) return errno;
        if (count > 0) content.remove_prefix(static_cast<std::size_t>(count));
    }
    return 0;
}

}  // namespace hal
