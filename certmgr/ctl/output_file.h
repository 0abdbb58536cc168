// Where certmgrd writes what is too secret, or too long, for a message.
#pragma once

#include <iosfwd>
#include <string>

#include "hal/handle.h"

namespace certmgr::ctl {

// A new file of mode 0600 that goes again unless keep() is called; without a name a memfd, shown by keep().
class OutputFile {
  public:
    // Failure(refused): it exists already, or cannot be made.
    explicit OutputFile(const std::string& file);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    int fd() const { return fd_.get(); }
    void keep(std::ostream& out);

  private:
    std::string file_;
    hal::UniqueFd fd_;
    bool kept_ = false;
};

}  // namespace certmgr::ctl
