#include "certmgr/acme/solvers/readable_file.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal/error.h"
#include "hal/file.h"
#include "hal/handle.h"

namespace certmgr::acme {

void writeReadable(const std::filesystem::path& file, const std::string& content) {
    const std::string what = "writing a challenge into " + file.parent_path().string();
    const std::filesystem::path unfinished = file.string() + unfinishedSuffix;
    try {
        const hal::UniqueFd fd(
            ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
        // The umask of a daemon is strict, but whoever serves the file runs as somebody else.
        if (!fd || ::fchmod(fd.get(), 0644) != 0) hal::throwErrno(errno, what);
        if (const int failed = hal::writeAll(fd.get(), content)) hal::throwErrno(failed, what);
        if (::rename(unfinished.c_str(), file.c_str()) != 0) hal::throwErrno(errno, what);
    } catch (const hal::Error&) {
        ::unlink(unfinished.c_str());
        throw;
    }
}

}  // namespace certmgr::acme
