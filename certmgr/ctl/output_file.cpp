#include "certmgr/ctl/output_file.h"

#include <array>
#include <cerrno>
#include <ostream>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "certmgr/ctl/failure.h"

namespace certmgr::ctl {

OutputFile::OutputFile(const std::string& file)
    : file_(file),
      fd_(file.empty() ? ::memfd_create("certmgrctl-output", MFD_CLOEXEC)
                       : ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600)) {
    if (!fd_) throw Failure(ExitStatus::refused, file + ": " + std::generic_category().message(errno));
}

OutputFile::~OutputFile() {
    if (!kept_ && !file_.empty()) ::unlink(file_.c_str());
}

void OutputFile::keep(std::ostream& out) {
    if (!file_.empty()) {
        if (::fsync(fd_.get()) != 0)
            throw Failure(ExitStatus::failed, file_ + ": " + std::generic_category().message(errno));
        kept_ = true;
        return;
    }
    ::lseek(fd_.get(), 0, SEEK_SET);
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; (count = ::read(fd_.get(), buffer.data(), buffer.size())) > 0;)
        out.write(buffer.data(), count);
}

}  // namespace certmgr::ctl
