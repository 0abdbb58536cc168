// What every answer of an ACME server is judged by, before its body is looked at.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/error.h"
#include "certmgr/net/http_client.h"

namespace certmgr::acme {

// Throws unless the status is 2xx. `what` names the resource for people: "newOrder".
// rateLimited: a rateLimited problem, 429, or 503 with Retry-After; transient: other 5xx; rejected: a problem
// document; misconfigured: redirects and everything that no ACME server says ("not-acme").
void requireSuccess(const net::HttpResponse& response, const std::string& what);

// As above, and the body is of that media type.
void requireType(const net::HttpResponse& response, std::string_view mediaType, const std::string& what);

// Where the answer has nothing else to tell that it is the CA's, and what follows from it is for good.
// RFC 8555 6.5: "A server [...] MUST include a Replay-Nonce header field in every successful response to a
// POST request".
void requireNonce(const net::HttpResponse& response, const std::string& what);

// RFC 9110 10.2.3: seconds or a date. A date is measured by the server's own Date where it sent one, because
// our clock may be wrong. Absent or unreadable: empty. In the past: zero.
std::optional<std::chrono::seconds> retryAfter(const net::HttpResponse& response,
                                               std::chrono::sys_seconds now);

// What those seconds are counted from.
std::chrono::sys_seconds wallTime();

// The target of the first Link with that relation (RFC 8288), if it is an absolute https URL.
std::optional<std::string> linkTarget(const net::HttpResponse& response, std::string_view relation);
// All of them, at most so many.
std::vector<std::string> linkTargets(const net::HttpResponse& response, std::string_view relation,
                                     std::size_t most);

// The codes of errors by which a CA asks to wait: it takes no more of these requests, or whoever asks has to
// wait.
inline constexpr const char* rateLimitedCode = "rate-limited";
inline constexpr const char* overloadedCode = "ca-overloaded";

// The answer says that what was asked for is not to be had, and will not be: a problem document that refuses
// it, or status 404 or 410 in whatever form. False also for what says to wait or that the server failed.
bool isRefusal(const Error& error);

// Where people end a pause of their names, whole; empty: it is no such refusal. It goes into no log.
std::string unpauseUrl(const Error& error);
// Its problem document without that.
std::string problemForLog(const Error& error);

// Is it the CA's problem of that type, "badNonce" for one?
bool isProblem(const Error& error, std::string_view acmeError);

}  // namespace certmgr::acme
