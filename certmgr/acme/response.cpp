#include "certmgr/acme/response.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include <strings.h>

#include "certmgr/acme/nonce_pool.h"
#include "certmgr/acme/wire/json.h"
#include "certmgr/acme/wire/problem.h"
#include "certmgr/core/ascii.h"

namespace certmgr::acme {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr const char* notThereCode = "not-there";

std::string mediaType(const net::HttpResponse& response) {
    std::string type = response.header("content-type").value_or("");
    type.erase(std::min(type.find(';'), type.size()));
    while (type.ends_with(' ')) type.pop_back();
    return type;
}

bool hasType(const net::HttpResponse& response, std::string_view wanted) {
    return ::strcasecmp(mediaType(response).c_str(), std::string(wanted).c_str()) == 0;
}

std::string found(const net::HttpResponse& response) {
    const std::string type = wire::plainWords(mediaType(response));
    return "status " + std::to_string(response.status) + " with " + (type.empty() ? "no content type" : type);
}

Error withRetryAt(Error error, const net::HttpResponse& response) {
    const sys_seconds now = wallTime();
    if (const std::optional<seconds> delay = retryAfter(response, now)) error.retryAt(now + *delay);
    return error;
}

// RFC 8555 6.6: a rate limit is explained by the target of a "help" Link, where the words do not name one.
std::string whereExplained(const wire::Problem& problem, const net::HttpResponse& response) {
    const std::optional<std::string> help = linkTarget(response, "help");
    return help && problem.detail.find("https://") == std::string::npos ? "; see " + *help : "";
}

Error errorFor(const wire::Problem& problem, const net::HttpResponse& response, const std::string& what) {
    const bool silent = problem.type.empty() && problem.detail.empty();  // as the answer to a HEAD
    const std::string words = what + ": " + (silent ? found(response) : wire::sentence(problem));
    if (problem.is("rateLimited") || response.status == 429)
        return {ErrorKind::rateLimited, rateLimitedCode, words + whereExplained(problem, response)};
    if (response.status == 503 && response.header("retry-after"))
        return {ErrorKind::rateLimited, overloadedCode, words};
    // The request was repeated with fresh nonces as often as is sensible (RFC 8555 6.5): nothing was refused.
    if (problem.is("badNonce")) return {ErrorKind::transient, "bad-nonce", words};
    if (problem.is("serverInternal") || response.status >= 500)
        return {ErrorKind::transient, "acme-server-error", words};
    // RFC 8555 7.3.3: "instance" tells people where they can agree to the new terms.
    if (problem.is("userActionRequired"))
        return {ErrorKind::misconfigured, "terms-not-agreed",
                words + (problem.instance.empty() ? "" : "; see " + problem.instance)};
    if (problem.is("externalAccountRequired"))
        return {ErrorKind::misconfigured, "external-account-required", words};
    return {ErrorKind::rejected, "acme-rejected", words};
}

bool isNotThere(const net::HttpResponse& response) {
    return response.status == 404 || response.status == 410;
}

Error errorWithoutProblem(const net::HttpResponse& response, const std::string& what) {
    if (response.status == 429 || (response.status == 503 && response.header("retry-after")))
        return {ErrorKind::rateLimited, response.status == 429 ? rateLimitedCode : overloadedCode,
                what + ": the server is overloaded: " + found(response)};
    if (response.status >= 500)
        return {ErrorKind::transient, "acme-server-error", what + ": the server failed: " + found(response)};
    if (response.status >= 300 && response.status < 400)
        return {ErrorKind::misconfigured, "not-acme",
                what + ": the server redirects elsewhere (status " + std::to_string(response.status) +
                    "), which no ACME server does; is the directory's URL right?"};
    return {ErrorKind::misconfigured, isNotThere(response) ? notThereCode : "not-acme",
            what + ": expected the answer of an ACME server, found " + found(response) +
                "; is the directory's URL right?"};
}

// RFC 9110 5.6.7: an IMF-fixdate; the two obsolete forms are not sent by anybody any more.
std::optional<sys_seconds> httpDate(const std::string& text) {
    std::tm fields{};
    const char* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &fields);
    if (!end || *end != '\0') return std::nullopt;
    return sys_seconds(seconds(::timegm(&fields)));
}

// One link-value: <URL>; rel="next"
bool hasRelation(std::string_view parameters, std::string_view relation) {
    while (!parameters.empty()) {
        const std::size_t end = std::min(parameters.find(';'), parameters.size());
        std::string_view parameter = trimmed(parameters.substr(0, end));
        parameters.remove_prefix(std::min(end + 1, parameters.size()));
        if (!parameter.starts_with("rel=")) continue;
        parameter.remove_prefix(4);
        if (parameter.size() >= 2 && parameter.starts_with('"'))
            parameter = parameter.substr(1, parameter.size() - 2);
        if (parameter == relation) return true;
    }
    return false;
}

}  // namespace

void requireSuccess(const net::HttpResponse& response, const std::string& what) {
    if (response.status >= 200 && response.status < 300) return;
    if (!hasType(response, "application/problem+json"))
        throw withRetryAt(errorWithoutProblem(response, what), response);
    Error error = errorFor(wire::parseProblem(response.body), response, what);
    error.problem(response.body);
    throw withRetryAt(std::move(error), response);
}

void requireType(const net::HttpResponse& response, std::string_view type, const std::string& what) {
    requireSuccess(response, what);
    if (!hasType(response, type))
        throw Error(ErrorKind::misconfigured, "not-acme",
                    what + ": expected " + std::string(type) + ", found " + found(response) +
                        "; is the directory's URL right?");
}

void requireNonce(const net::HttpResponse& response, const std::string& what) {
    if (NoncePool::nonceOf(response)) return;
    throw Error(
        ErrorKind::misconfigured, "not-acme",
        what + ": expected the answer of an ACME server, with a Replay-Nonce, found " + found(response));
}

std::optional<seconds> retryAfter(const net::HttpResponse& response, sys_seconds now) {
    const std::optional<std::string> text = response.header("retry-after");
    if (!text) return std::nullopt;
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
    if (error == std::errc() && end == text->data() + text->size()) return seconds(count);
    const std::optional<sys_seconds> then = httpDate(*text);
    if (!then) return std::nullopt;
    return std::max(seconds(0), *then - httpDate(response.header("date").value_or("")).value_or(now));
}

sys_seconds wallTime() {
    return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

std::optional<std::string> linkTarget(const net::HttpResponse& response, std::string_view relation) {
    std::vector<std::string> targets = linkTargets(response, relation, 1);
    return targets.empty() ? std::nullopt : std::optional(std::move(targets.front()));
}

std::vector<std::string> linkTargets(const net::HttpResponse& response, std::string_view relation,
                                     std::size_t most) {
    std::vector<std::string> targets;
    const auto [first, last] = response.headers.equal_range("link");
    for (auto header = first; header != last; ++header) {
        for (std::string_view rest = header->second; !rest.empty();) {
            const std::size_t open = rest.find('<');
            const std::size_t close = rest.find('>', open == std::string_view::npos ? 0 : open);
            if (open == std::string_view::npos || close == std::string_view::npos) break;
            const std::string_view target = rest.substr(open + 1, close - open - 1);
            const std::size_t end = std::min(rest.find(",", close), rest.size());
            if (hasRelation(rest.substr(close + 1, end - close - 1), relation) && wire::isHttpsUrl(target) &&
                targets.size() < most)
                targets.emplace_back(target);
            rest.remove_prefix(end);
        }
    }
    return targets;
}

bool isRefusal(const Error& error) {
    return error.kind() == ErrorKind::rejected || error.code() == notThereCode;
}

std::string unpauseUrl(const Error& error) {
    return wire::parseProblem(error.problem()).unpauseUrl;
}

std::string problemForLog(const Error& error) {
    return wire::withoutUnpauseUrls(error.problem());
}

bool isProblem(const Error& error, std::string_view acmeError) {
    return wire::parseProblem(error.problem()).is(acmeError);
}

}  // namespace certmgr::acme
