// HTTPS for machines: bounded in time and size, TLS always verified, no redirect followed.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "certmgr/core/error.h"

namespace certmgr::net {

struct HttpRequest {
    enum class Method { get, head, post } method = Method::get;
    std::string url;  // https:// only, else Error(misconfigured, "not-https")
    std::string contentType;
    std::string body;
};

struct HttpResponse {
    int status = 0;
    std::multimap<std::string, std::string> headers;  // names in lower case
    std::string body;
    std::chrono::microseconds took{};  // a new connection included
    // False: nothing but the end of the connection tells that of the body, and libcurl does not tell an end
    // by TLS from one that anybody on the way has made (RFC 9112 9.8).
    bool delimited = true;
    // The connection was kept from an earlier request and is another one now: it may have ended after the
    // server had taken this request, which was then sent again.
    bool sentAgain = false;

    std::optional<std::string> header(const std::string& lowerCaseName) const;  // the first of that name
};

struct HttpLimits {
    std::chrono::milliseconds connectTimeout{15'000};
    std::chrono::milliseconds totalTimeout{60'000};
    std::size_t maxBody = 1 << 20;
    std::chrono::milliseconds idleAge{60'000};  // after which a connection is not used again
};

// Implementations: CurlHttpClient and the tests' faulty ones. Safe to call from several threads at once;
// connections are kept and re-used by whichever thread comes next.
// Any status is a response. Errors: "http-timeout", "http-unreachable", "http-too-large", "http-cancelled"
// (transient), "http-tls" (certificate not trusted or expired) and "not-https" (misconfigured); all name the
// host and port, never path, query or body.
class HttpClient {
  public:
    virtual ~HttpClient() = default;
    virtual HttpResponse send(const HttpRequest& request, std::stop_token stop) = 0;
};

}  // namespace certmgr::net
