#include "certmgr/acme/waiting.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "certmgr/acme/response.h"

namespace certmgr::acme {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A CA on the same network answers and validates in a few milliseconds, a public one needs tens of them for
// an answer and seconds to validate.
constexpr milliseconds shortestWait{10};
constexpr milliseconds longestWait{5000};

}  // namespace

void throwCancelled() {
    throw Error(ErrorKind::transient, "cancelled", "stopped before it was finished");
}

void pause(milliseconds duration, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, duration, [] { return false; });
    if (stop.stop_requested()) throwCancelled();
}

Polling::Polling(std::string waitingFor, seconds patience, std::stop_token stop)
    : waitingFor_(std::move(waitingFor)), patience_(patience), stop_(std::move(stop)), quick_(shortestWait) {}

void Polling::saw(const net::HttpResponse& response) {
    quick_ = std::max(quick_, std::chrono::duration_cast<milliseconds>(response.took));
    const std::optional<seconds> delay = retryAfter(response, wallTime());
    if (delay) asked_ = std::max(*delay, asked_.value_or(seconds(0)));
}

void Polling::wait() {
    const auto elapsed = std::chrono::ceil<seconds>(Clock::now() - begin_);
    if (asked_ && elapsed + *asked_ > patience_)
        throw Error(ErrorKind::rateLimited, "ca-asks-to-wait",
                    "the CA asks to wait longer for " + waitingFor_)
            .retryAt(wallTime() + *asked_);
    if (elapsed > patience_)
        throw Error(
            ErrorKind::transient, "ca-too-slow",
            "after " + std::to_string(patience_.count()) + " s the CA has not finished " + waitingFor_);
    // "Retry-After: 0" must not become a busy loop.
    const bool asked = asked_ && *asked_ > seconds(0);
    pause(asked ? milliseconds(*asked_) : quick_, stop_);
    quick_ = std::min(quick_ * 2, longestWait);
    asked_.reset();
}

}  // namespace certmgr::acme
