// What certmgrctl ends with.
#pragma once

#include <stdexcept>
#include <string>

namespace certmgr::ctl {

// The exit statuses, documented in certmgrctl(1).
enum class ExitStatus {
    success = 0,
    failed = 1,       // the operation was started and failed, or something went wrong here
    usage = 2,        // the command line
    unreachable = 3,  // no bus, no certmgrd, or it went away
    denied = 4,
    notFound = 5,
    refused = 6,  // bad input
};

// Ends the command; the message is one plain sentence.
class Failure : public std::runtime_error {
  public:
    Failure(ExitStatus status, const std::string& sentence) : std::runtime_error(sentence), status_(status) {}
    ExitStatus status() const noexcept { return status_; }

  private:
    ExitStatus status_;
};

// The exit status for a D-Bus error name, and for a job that failed with `kind` and `code` (org.certmgr1(7)).
ExitStatus statusForBusError(const std::string& name);
ExitStatus statusForJobError(const std::string& kind, const std::string& code);

}  // namespace certmgr::ctl
