#include "certmgr/net/curl_http_client.h"

#include <algorithm>
#include <array>

#include "certmgr/core/ascii.h"
#include "certmgr/net/curl_library.h"

namespace certmgr::net {
namespace {

using std::chrono::steady_clock;

constexpr const char* systemTrustFile = "/etc/ssl/certs/ca-certificates.crt";
constexpr std::size_t maxIdle = 32;
constexpr std::size_t maxHeaders = 64 * 1024;

std::string part(const CURLU* url, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl().urlGet(const_cast<CURLU*>(url), which, &text, flags) != CURLUE_OK) return "";
    const std::string copy(text);
    curl().free(text);
    return copy;
}

// Checks the URL and returns "host:port", which is all of it that a message may carry.
std::string endpointOf(const std::string& text) {
    const CurlUrl url(curl().url());
    if (!url || curl().urlSet(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
        throw Error(ErrorKind::misconfigured, "not-https",
                    "expected an https:// URL, found something that is no URL");
    const std::string endpoint =
        part(url.get(), CURLUPART_HOST) + ":" + part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    if (const std::string scheme = part(url.get(), CURLUPART_SCHEME); scheme != "https")
        throw Error(ErrorKind::misconfigured, "not-https",
                    endpoint + ": expected an https:// URL, found " + scheme + "://");
    return endpoint;
}

// What one transfer collects. libcurl hands it back to the two functions below; they throw nothing.
struct Received {
    HttpResponse response;
    std::size_t headerBytes = 0;
    bool headComplete = false;
    std::size_t maxBody = 0;
    bool tooLarge = false;
};

std::size_t takeBody(char* data, std::size_t, std::size_t size, void* context) noexcept {
    auto& received = *static_cast<Received*>(context);
    received.tooLarge = received.response.body.size() + size > received.maxBody;
    if (received.tooLarge) return 0;
    received.response.body.append(data, size);
    return size;
}

std::size_t takeHeader(char* data, std::size_t, std::size_t size, void* context) noexcept {
    auto& received = *static_cast<Received*>(context);
    received.headerBytes += size;
    received.tooLarge = received.headerBytes > maxHeaders;
    if (received.tooLarge) return 0;
    const std::string_view line(data, size);
    // A status line begins a new set of headers: what came before belonged to an interim response (RFC
    // 9110 15.2).
    if (line.starts_with("HTTP/")) {
        received.response.headers.clear();
        received.headComplete = false;
    }
    if (line == "\r\n" || line == "\n") received.headComplete = true;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    std::string name = lowered(std::string(line.substr(0, colon)));
    received.response.headers.emplace(std::move(name), trimmed(line.substr(colon + 1), " \t\r\n"));
    return size;
}

// A transfer that is left early must be taken out again, or the next one on this connection would find it.
class Attached {
  public:
    Attached(CURLM* multi, CURL* easy) : multi_(multi), easy_(easy) { curl().multiAddHandle(multi_, easy_); }
    ~Attached() { curl().multiRemoveHandle(multi_, easy_); }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;

  private:
    CURLM* multi_;
    CURL* easy_;
};

Error errorFor(CURLcode result, const std::string& endpoint, const std::string& reason,
               const std::string& trustFile) {
    switch (result) {
        case CURLE_OPERATION_TIMEDOUT:
            return {ErrorKind::transient, "http-timeout",
                    endpoint + " did not answer in time (" + reason + ")"};
        case CURLE_SSL_CACERT_BADFILE:
            return {ErrorKind::misconfigured, "http-tls",
                    endpoint + " cannot be verified: the trust file " + trustFile +
                        " cannot be read as PEM certificates"};
        case CURLE_PEER_FAILED_VERIFICATION:
            return {
                ErrorKind::misconfigured, "http-tls",
                endpoint + " has a certificate that does not verify against " + trustFile + ": " + reason};
        default:
            return {ErrorKind::transient, "http-unreachable", endpoint + " cannot be reached: " + reason};
    }
}

}  // namespace

std::optional<std::string> HttpResponse::header(const std::string& lowerCaseName) const {
    const auto found = headers.lower_bound(lowerCaseName);
    if (found == headers.end() || found->first != lowerCaseName) return std::nullopt;
    return found->second;
}

// An easy handle in a multi handle of its own: the multi handle keeps the connection open between transfers,
// and its poll can be woken by another thread.
class CurlHttpClient::Connection {
  public:
    Connection(const std::string& trustFile, const HttpLimits& limits)
        : multi_(curl().multiInit()),
          easy_(curl().easyInit()),
          trustFile_(trustFile.empty() ? systemTrustFile : trustFile),
          maxBody_(limits.maxBody) {
        if (!multi_ || !easy_) throw Error(ErrorKind::internal, "out-of-memory", "libcurl: out of memory");
        set(CURLOPT_PROTOCOLS_STR, "https");
        set(CURLOPT_FOLLOWLOCATION, 0L);
        set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        set(CURLOPT_USERAGENT, "certmgr/" CERTMGR_VERSION);
        set(CURLOPT_SSL_VERIFYPEER, 1L);
        set(CURLOPT_SSL_VERIFYHOST, 2L);
        set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        set(CURLOPT_CAINFO, trustFile_.c_str());
        // Debian's default CApath keeps libcurl from caching the parsed bundle: 30 ms a handshake.
        set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
        set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connectTimeout.count()));
        set(CURLOPT_TIMEOUT_MS, static_cast<long>(limits.totalTimeout.count()));
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_QUICK_EXIT, 1L);  // a cancelled transfer does not wait for the resolver's thread
        set(CURLOPT_ERRORBUFFER, reason_.data());
        set(CURLOPT_HEADERFUNCTION, &takeHeader);
        set(CURLOPT_WRITEFUNCTION, &takeBody);
    }

    HttpResponse send(const HttpRequest& request, const std::stop_token& stop) {
        const std::string endpoint = endpointOf(request.url);
        Received received;
        received.maxBody = maxBody_;
        CurlList headers;
        prepare(request, received, headers);
        const steady_clock::time_point begin = steady_clock::now();
        const CURLcode result = transfer(stop, endpoint);
        if (received.tooLarge)
            throw Error(ErrorKind::transient, "http-too-large",
                        endpoint + " sends an answer of more than " + std::to_string(maxBody_) +
                            " bytes, or endless headers; an ACME server's are far smaller");
        if (result != CURLE_OK)
            throw errorFor(result, endpoint, reason_[0] ? reason_.data() : curl().easyStrerror(result),
                           trustFile_);
        // libcurl takes a connection that ends among the headers for an answer without a body.
        if (!received.headComplete)
            throw Error(ErrorKind::transient, "http-unreachable",
                        endpoint + " cannot be reached: the connection ended within the answer");
        received.response.status = static_cast<int>(info(CURLINFO_RESPONSE_CODE));
        received.response.delimited = received.response.header("content-length").has_value() ||
                                      received.response.header("transfer-encoding").has_value();
        received.response.sentAgain = kept_ && info(CURLINFO_NUM_CONNECTS) > 0;
        kept_ = received.response.header("connection") != "close";
        lastUsed_ = steady_clock::now();
        received.response.took = std::chrono::duration_cast<std::chrono::microseconds>(lastUsed_ - begin);
        return std::move(received.response);
    }

    steady_clock::time_point lastUsed() const { return lastUsed_; }

  private:
    template <class Value>
    void set(CURLoption option, Value value) {
        if (curl().easySetopt(easy_.get(), option, value) != CURLE_OK)
            throw Error(ErrorKind::internal, "curl", "libcurl refuses option " + std::to_string(option));
    }

    long info(CURLINFO what) const {
        long value = 0;
        curl().easyGetinfo(easy_.get(), what, &value);
        return value;
    }

    void prepare(const HttpRequest& request, Received& received, CurlList& headers) {
        reason_[0] = '\0';
        set(CURLOPT_URL, request.url.c_str());
        set(CURLOPT_HEADERDATA, &received);
        set(CURLOPT_WRITEDATA, &received);
        set(CURLOPT_HTTPGET, 1L);
        set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
        if (request.method == HttpRequest::Method::head) set(CURLOPT_NOBODY, 1L);
        if (request.method != HttpRequest::Method::post) return;
        headers.reset(curl().slistAppend(nullptr, ("Content-Type: " + request.contentType).c_str()));
        set(CURLOPT_HTTPHEADER, headers.get());
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        set(CURLOPT_POSTFIELDS, request.body.c_str());
    }

    CURLcode transfer(const std::stop_token& stop, const std::string& endpoint) {
        const Attached attached(multi_.get(), easy_.get());
        const std::stop_callback wake(stop, [this] { curl().multiWakeup(multi_.get()); });
        for (int running = 1;;) {
            curl().multiPerform(multi_.get(), &running);
            if (running == 0) break;
            if (stop.stop_requested())
                throw Error(ErrorKind::transient, "http-cancelled",
                            "the request to " + endpoint + " was cancelled");
            curl().multiPoll(multi_.get(), nullptr, 0, 1000, nullptr);
        }
        int queued = 0;
        const CURLMsg* const message = curl().multiInfoRead(multi_.get(), &queued);
        return message ? message->data.result : CURLE_FAILED_INIT;
    }

    CurlMulti multi_;
    CurlEasy easy_;
    const std::string trustFile_;
    const std::size_t maxBody_;
    std::array<char, CURL_ERROR_SIZE> reason_{};
    bool kept_ = false;  // a connection of an earlier request
    steady_clock::time_point lastUsed_ = steady_clock::now();
};

CurlHttpClient::CurlHttpClient(std::string trustFile, HttpLimits limits)
    : trustFile_(std::move(trustFile)), limits_(limits) {}

CurlHttpClient::~CurlHttpClient() = default;

HttpResponse CurlHttpClient::send(const HttpRequest& request, std::stop_token stop) {
    // The server has closed those by now, and libcurl, which opens others, would look as if it had sent the
    // request twice.
    dropIdle(limits_.idleAge);
    ConnectionPtr connection = take();
    HttpResponse response = connection->send(request, stop);
    giveBack(std::move(connection));  // one that failed is closed instead
    return response;
}

void CurlHttpClient::dropIdle(std::chrono::milliseconds age) {
    std::vector<ConnectionPtr> dropped;  // closed after the lock is given up
    const auto oldest = steady_clock::now() - age;
    const std::lock_guard lock(mutex_);
    const auto firstYoung = std::find_if(
        idle_.begin(), idle_.end(), [&](const ConnectionPtr& idle) { return idle->lastUsed() > oldest; });
    std::move(idle_.begin(), firstYoung, std::back_inserter(dropped));
    idle_.erase(idle_.begin(), firstYoung);
}

CurlHttpClient::ConnectionPtr CurlHttpClient::take() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            ConnectionPtr connection = std::move(idle_.back());
            idle_.pop_back();
            return connection;
        }
    }
    return std::make_unique<Connection>(trustFile_, limits_);
}

void CurlHttpClient::giveBack(ConnectionPtr connection) {
    {
        const std::lock_guard lock(mutex_);
        if (idle_.size() < maxIdle) idle_.push_back(std::move(connection));
    }
    dropIdle(limits_.idleAge);
}

}  // namespace certmgr::net
