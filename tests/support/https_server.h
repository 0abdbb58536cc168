// A TLS server inside the test that says whatever the test wants, for what no real server can be made to do.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hal/handle.h"

namespace testing_support {

// Writes server.pem, key.pem and ca.pem (its trust file) into the directory: for localhost and 127.0.0.1.
void makeTlsFiles(const std::filesystem::path& directory, std::chrono::sys_seconds notBefore,
                  std::chrono::sys_seconds notAfter);
void makeTlsFiles(const std::filesystem::path& directory);  // valid now

// One request a connection. The handler gets the request as received and returns the bytes of the answer,
// after which the connection is closed; an empty answer cuts it off.
class HttpsServer {
  public:
    using Handler = std::function<std::string(const std::string& request)>;
    HttpsServer(const std::filesystem::path& tlsFiles, Handler handler);
    ~HttpsServer();
    HttpsServer(const HttpsServer&) = delete;
    HttpsServer& operator=(const HttpsServer&) = delete;

    std::uint16_t port() const { return port_; }
    std::string url(const std::string& path) const {
        return "https://127.0.0.1:" + std::to_string(port_) + path;
    }

  private:
    void accept(const std::stop_token& stop);
    void serve(hal::UniqueFd connection);

    Handler handler_;
    hal::SslContext context_;
    hal::UniqueFd listening_;
    std::uint16_t port_ = 0;
    std::mutex mutex_;
    std::vector<std::jthread> serving_;
    std::jthread accepting_;
};

// "HTTP/1.1 200 OK" with that type and body, and its true length.
std::string httpAnswer(int status, const std::string& contentType, const std::string& body,
                       const std::string& moreHeaders = "");

// Hands the request, Host and all, to the TLS server on that port and returns its answer whole.
std::string forwardTo(std::uint16_t port, const std::string& request);

}  // namespace testing_support
