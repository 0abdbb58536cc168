#include "certmgr/net/curl_http_client.h"

#include <condition_variable>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/child_process.h"
#include "tests/support/https_server.h"

namespace certmgr::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing_support::httpAnswer;
using testing_support::HttpsServer;
using testing_support::makeTlsFiles;
using testing_support::TemporaryDirectory;

std::chrono::sys_seconds now() {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Error failureOf(HttpClient& client, const std::string& url, std::stop_token stop = {}) {
    try {
        client.send({HttpRequest::Method::get, url, "", ""}, std::move(stop));
    } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).find("secret-path"), std::string::npos) << error.what();
        return error;
    }
    return Error(ErrorKind::internal, "none", "no error");
}

class Client : public testing::Test {
  protected:
    void SetUp() override { makeTlsFiles(tls_.path()); }
    std::string trust() const { return (tls_ / "ca.pem").string(); }
    TemporaryDirectory tls_;
};

TEST_F(Client, SendsWhatIsAskedAndReadsHeadersInLowerCase) {
    std::string seen;
    HttpsServer server(tls_.path(), [&](const std::string& request) {
        seen = request;
        return httpAnswer(201, "text/plain", "hello", "Replay-Nonce:  abc \r\n");
    });
    CurlHttpClient client(trust());
    const HttpResponse response =
        client.send({HttpRequest::Method::post, server.url("/x"), "application/jose+json", "{}"}, {});
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(response.body, "hello");
    EXPECT_EQ(response.header("replay-nonce"), "abc");
    EXPECT_TRUE(seen.starts_with("POST /x HTTP/1.1\r\n")) << seen;
    EXPECT_NE(seen.find("User-Agent: certmgr/"), std::string::npos);
    EXPECT_NE(seen.find("Content-Type: application/jose+json\r\n"), std::string::npos);
    EXPECT_TRUE(seen.ends_with("\r\n\r\n{}"));
}

TEST_F(Client, OneHandleServesAllMethodsInTurn) {
    HttpsServer server(tls_.path(), [](const std::string& request) {
        return httpAnswer(200, "text/plain", request.starts_with("HEAD") ? "" : request.substr(0, 4));
    });
    CurlHttpClient client(trust());
    using Method = HttpRequest::Method;
    EXPECT_EQ(client.send({Method::post, server.url("/"), "a/b", "x"}, {}).body, "POST");
    EXPECT_EQ(client.send({Method::head, server.url("/"), "", ""}, {}).body, "");
    EXPECT_EQ(client.send({Method::get, server.url("/"), "", ""}, {}).body, "GET ");
}

TEST_F(Client, TrustsItsFileAlone) {
    HttpsServer server(tls_.path(), [](const auto&) { return httpAnswer(200, "text/plain", "hello"); });
    const TemporaryDirectory other;
    makeTlsFiles(other.path());
    CurlHttpClient stranger((other / "ca.pem").string());
    const Error untrusted = failureOf(stranger, server.url("/secret-path"));
    EXPECT_EQ(untrusted.code(), "http-tls") << untrusted.what();
    EXPECT_EQ(untrusted.kind(), ErrorKind::misconfigured);

    CurlHttpClient system("");
    EXPECT_EQ(failureOf(system, server.url("/secret-path")).code(), "http-tls");
    CurlHttpClient missing("/nonexistent.pem");
    const Error unreadable = failureOf(missing, server.url("/secret-path"));
    EXPECT_EQ(unreadable.code(), "http-tls");
    EXPECT_NE(std::string(unreadable.what()).find("/nonexistent.pem"), std::string::npos)
        << unreadable.what();
}

TEST_F(Client, RefusesAnExpiredCertificate) {
    makeTlsFiles(tls_.path(), now() - hours(48), now() - hours(1));
    HttpsServer server(tls_.path(), [](const auto&) { return httpAnswer(200, "text/plain", "hello"); });
    CurlHttpClient client(trust());
    const Error error = failureOf(client, server.url("/secret-path"));
    EXPECT_EQ(error.code(), "http-tls");
    EXPECT_NE(std::string(error.what()).find("expired"), std::string::npos) << error.what();
}

TEST_F(Client, SpeaksHttpsOnly) {
    CurlHttpClient client(trust());
    for (const char* const url :
         {"http://127.0.0.1/secret-path", "file:///etc/passwd", "ftp://127.0.0.1/", "nonsense url"})
        EXPECT_EQ(failureOf(client, url).code(), "not-https") << url;
}

TEST_F(Client, SaysThatNobodyIsThere) {
    CurlHttpClient client(trust());
    const std::string port = std::to_string(testing_support::freePort());
    const Error error = failureOf(client, "https://127.0.0.1:" + port + "/secret-path");
    EXPECT_EQ(error.code(), "http-unreachable");
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:" + port), std::string::npos) << error.what();
}

// The server has closed it meanwhile: that libcurl opens another one is not to look as if the request had
// been sent twice, which counts as a lost order.
TEST_F(Client, AConnectionThatWasIdleForLongIsNotUsedAgain) {
    HttpsServer server(tls_.path(),
                       [](const auto&) { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"; });
    const auto second = [&](milliseconds idleAge) {
        CurlHttpClient client(trust(), {.idleAge = idleAge});
        const HttpRequest request{HttpRequest::Method::post, server.url("/x"), "text/plain", "x"};
        client.send(request, {});
        std::this_thread::sleep_for(milliseconds(100));
        return client.send(request, {}).sentAgain;
    };
    EXPECT_TRUE(second(std::chrono::seconds(60))) << "nobody can tell";
    EXPECT_FALSE(second(milliseconds(50)));
}

// A server that holds its answers back until it is let go.
class Gate {
  public:
    void hold() {
        std::unique_lock lock(mutex_);
        reached_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void awaitReached() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return reached_; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool reached_ = false;
    bool open_ = false;
};

TEST_F(Client, LimitsTheTimeOfAnAnswer) {
    Gate gate;
    HttpsServer server(tls_.path(), [&](const auto&) {
        gate.hold();
        return httpAnswer(200, "text/plain", "late");
    });
    CurlHttpClient client(trust(), {.totalTimeout = milliseconds(300)});
    EXPECT_EQ(failureOf(client, server.url("/secret-path")).code(), "http-timeout");
    gate.open();
}

TEST_F(Client, AStopEndsARequestInFlight) {
    Gate gate;
    HttpsServer server(tls_.path(), [&](const auto&) {
        gate.hold();
        return httpAnswer(200, "text/plain", "late");
    });
    CurlHttpClient client(trust());
    std::stop_source stop;
    std::jthread stopper([&] {
        gate.awaitReached();
        stop.request_stop();
    });
    EXPECT_EQ(failureOf(client, server.url("/secret-path"), stop.get_token()).code(), "http-cancelled");
    gate.open();
}

TEST_F(Client, ServesManyThreads) {
    HttpsServer server(tls_.path(), [](const auto&) { return httpAnswer(200, "text/plain", "hello"); });
    CurlHttpClient client(trust());
    std::atomic<int> answered{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 5; ++n)
                if (client.send({HttpRequest::Method::get, server.url("/"), "", ""}, {}).body == "hello")
                    ++answered;
            client.dropIdle(std::chrono::seconds(0));
        });
    threads.clear();
    EXPECT_EQ(answered, 40);
}

}  // namespace
}  // namespace certmgr::net
