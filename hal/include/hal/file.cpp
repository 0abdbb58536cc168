#include "hal/file.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "hal/error.h"
#include "hal/handle.h"

namespace hal {

int writeAll(int fd, std::string_view content) noexcept {
    while (!content.empty()) {
        const ssize_t count = ::write(fd, content.data(), content.size());
        if (count < 0 && errno != EINTR) return errno;
        if (count > 0) content.remove_prefix(static_cast<std::size_t>(count));
    }
    return 0;
}

void syncPath(const std::filesystem::path& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd || ::fsync(fd.get()) != 0) throwErrno(errno, path.string());
}

}  // namespace hal
