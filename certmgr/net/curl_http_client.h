// HttpClient over libcurl.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "certmgr/net/http_client.h"

namespace certmgr::net {

// One for each certification authority: TLS is verified against its trust file and nothing else, and cannot
// be switched off. HTTP/1.1, HTTPS only. Thread-safe; each call borrows a connection of the pool, or opens
// one where all are busy.
class CurlHttpClient : public HttpClient {
  public:
    // `trustFile`: PEM bundle; empty: the system's. It is read when a connection is made, so it may be
    // replaced at any time.
    explicit CurlHttpClient(std::string trustFile, HttpLimits limits = {});
    ~CurlHttpClient() override;
    CurlHttpClient(const CurlHttpClient&) = delete;
    CurlHttpClient& operator=(const CurlHttpClient&) = delete;

    HttpResponse send(const HttpRequest& request, std::stop_token stop) override;

    // Closes the connections that were last used more than `age` ago. send() does so with those beyond the
    // limit; a daemon that falls idle calls it to give the memory back.
    void dropIdle(std::chrono::milliseconds age);

  private:
    class Connection;
    using ConnectionPtr = std::unique_ptr<Connection>;
    ConnectionPtr take();
    void giveBack(ConnectionPtr connection);

    const std::string trustFile_;
    const HttpLimits limits_;
    std::mutex mutex_;
    std::vector<ConnectionPtr> idle_;  // the last one was used last
};

}  // namespace certmgr::net
