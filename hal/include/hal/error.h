// The one exception type of the product. It lies in hal because both halves need it.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace hal {

// What the caller may do about it, not where it came from.
enum class ErrorKind {
    transient,      // the same call may succeed later: network, busy, TPM being reset
    rateLimited,    // as transient, but not before retryAt()
    rejected,       // the other side, or a check of ours, said no to this input; repeating it is pointless
    misconfigured,  // an administrator has to change a setting, a right or a file
    internal,       // a defect, or a resource (disk, memory) is exhausted
};

std::string_view toString(ErrorKind kind) noexcept;

// Thrown by value, caught by reference. Never carries key material, tokens or nonces.
//
// `code` is a stable word for programs ("tpm-locked-out", "key-not-found", "bad-pem"); the message is a
// sentence for people: what was found, what was expected, what to do. Contexts are put in front while the
// error travels outwards: "issue for gw.example: order: connection refused".
class Error : public std::exception {
  public:
    Error(ErrorKind kind, std::string code, std::string message);

    ErrorKind kind() const noexcept { return kind_; }
    const std::string& code() const noexcept { return code_; }
    const char* what() const noexcept override { return message_.c_str(); }

    // Prefixes the message with "context: ". Returns *this, so `throw std::move(e.within("…"))` works.
    Error& within(std::string_view context);

    // Absent: the usual backoff applies. Wall-clock time.
    const std::optional<std::chrono::sys_seconds>& retryAt() const noexcept { return retryAt_; }
    Error& retryAt(std::chrono::sys_seconds when);

    // The RFC 7807 problem document, whole and as received, where an ACME server sent one. Empty: none.
    const std::string& problem() const noexcept { return problem_; }
    Error& problem(std::string document);

  private:
    ErrorKind kind_;
    std::string code_;
    std::string message_;
    std::optional<std::chrono::sys_seconds> retryAt_;
    std::string problem_;
};

// Throws an internal Error with strerror(errnum) behind `what`; ENOSPC and EDQUOT get the code "disk-full".
[[noreturn]] void throwErrno(int errnum, std::string_view what);

}  // namespace hal
