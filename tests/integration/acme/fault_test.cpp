#include <gtest/gtest.h>

#include "tests/integration/acme/acme_world.h"
#include "tests/support/fake_solver.h"
#include "tests/support/https_server.h"

namespace acme_test {
namespace {

using testing_support::httpAnswer;
using testing_support::HttpsServer;
using testing_support::TemporaryDirectory;

// The error that a CA ends in which gives this answer to every request.
Error failureOf(const HttpsServer::Handler& handler) {
    const TemporaryDirectory tls;
    testing_support::makeTlsFiles(tls.path());
    const HttpsServer server(tls.path(), handler);
    net::CurlHttpClient http(tls / "ca.pem");
    acme::Session session({"bad", server.url("/dir"), "", {}, true}, {KeyId::fresh(), std::nullopt, nullptr},
                          hal::Pkey(EVP_EC_gen("P-256")), http);
    const hal::Pkey key(EVP_EC_gen("P-256"));
    testing_support::FakeSolver solver;
    MemoryJournal journal;
    try {
        acme::issue(session, requestFor({"gw.example"}, *key), {{solver}}, journal, {});
    } catch (const Error& error) {
        EXPECT_FALSE(journal.sent);
        EXPECT_TRUE(std::string(error.what()).starts_with("bad: ")) << error.what();
        return error;
    }
    return Error(ErrorKind::internal, "none", "no error");
}

TEST(Fault, HtmlIsNoAcmeServer) {
    const Error error =
        failureOf([](const auto&) { return httpAnswer(200, "text/html", "<h1>Welcome</h1>"); });
    EXPECT_EQ(error.code(), "not-acme") << error.what();
    EXPECT_EQ(error.kind(), ErrorKind::misconfigured);
}

TEST(Fault, ServerErrorIsTransient) {
    const Error error = failureOf([](const auto&) { return httpAnswer(500, "text/html", "oops"); });
    EXPECT_EQ(error.kind(), ErrorKind::transient) << error.what();
}

TEST(Fault, OverloadSaysWhenToComeBack) {
    const Error error =
        failureOf([](const auto&) { return httpAnswer(503, "text/plain", "busy", "Retry-After: 120\r\n"); });
    EXPECT_EQ(error.kind(), ErrorKind::rateLimited) << error.what();
    EXPECT_TRUE(error.retryAt().has_value());
}

TEST(Fault, RedirectIsNotFollowed) {
    std::atomic<int> requests{0};
    const Error error = failureOf([&](const auto&) {
        ++requests;
        return httpAnswer(302, "text/html", "", "Location: https://127.0.0.1:1/elsewhere\r\n");
    });
    EXPECT_EQ(error.code(), "not-acme") << error.what();
    EXPECT_EQ(requests, 1);
}

TEST(Fault, EndlessBodyIsCutOff) {
    const Error error = failureOf([](const auto&) {
        return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + std::string(8 << 20, ' ');
    });
    EXPECT_EQ(error.code(), "http-too-large") << error.what();
}

TEST(Fault, EndlessHeadersAreCutOff) {
    const Error error = failureOf([](const auto&) {
        std::string answer = "HTTP/1.1 200 OK\r\n";
        for (int i = 0; i < 10000; ++i)
            answer += "X-" + std::to_string(i) + ": " + std::string(100, 'x') + "\r\n";
        return answer + "\r\n";
    });
    EXPECT_EQ(error.code(), "http-too-large") << error.what();
}

TEST(Fault, LyingLengthIsNoticed) {
    const Error tooLong = failureOf([](const auto&) {
        return std::string(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{}");
    });
    EXPECT_EQ(tooLong.code(), "http-unreachable") << tooLong.what();
    const Error tooShort = failureOf([](const auto&) {
        return std::string("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n") +
               R"({"newNonce":"https://127.0.0.1/"})";
    });
    EXPECT_EQ(tooShort.code(), "not-acme") << tooShort.what();
}

TEST(Fault, UrlsThatAreHandedOutMustBeHttps) {
    const Error error = failureOf([](const auto&) {
        return httpAnswer(
            200, "application/json",
            R"({"newNonce":"http://127.0.0.1/n","newAccount":"https://a/","newOrder":"https://a/"})");
    });
    EXPECT_EQ(error.code(), "not-acme");
    EXPECT_NE(std::string(error.what()).find("newNonce"), std::string::npos) << error.what();
}

TEST(Fault, JsonThatIsNone) {
    for (const char* const body : {"", "[]", "{", "{}", "\xff\xfe", "null"}) {
        const Error error = failureOf([&](const auto&) { return httpAnswer(200, "application/json", body); });
        EXPECT_EQ(error.code(), "not-acme") << error.what();
    }
}

}  // namespace
}  // namespace acme_test
