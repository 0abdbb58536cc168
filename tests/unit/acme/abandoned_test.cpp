// Orders that nothing comes of any more, and those that only have to wait.
#include "tests/unit/acme/order_fixture.h"

namespace certmgr::acme {
namespace {

using net::HttpResponse;

const HttpResponse goneHtml{404, {{"content-type", "text/html"}}, "<html>There is nothing here.</html>"};
const HttpResponse goneForGood{410, {}, ""};

HttpResponse problemOf(int status, const std::string& type) {
    return {status,
            {{"content-type", "application/problem+json"}},
            R"({"type":"urn:ietf:params:acme:error:)" + type + R"(","detail":"the test says so"})"};
}

class AbandonedTest : public OrderTest {
  protected:
    Error failure() {
        try {
            order({});
        } catch (const Error& error) {
            return error;
        }
        return Error(ErrorKind::internal, "none", "a certificate came");
    }
    // In a run that was broken off when it had come to the certificate.
    void placeOrder() {
        ca_.answerAt("/order/0/certificate", HttpResponse{500, {}, ""});
        EXPECT_EQ(failure().code(), "acme-server-error");
        EXPECT_EQ(journal_.url, testing_support::FakeAcme::orderUrl(0));
    }
    void expectAbandoned(const Error& error) {
        EXPECT_NE(journal_.abandoned, "") << error.what();
        EXPECT_NE(std::string(error.what()).find(journal_.abandoned), std::string::npos) << error.what();
        EXPECT_NE(order({}).chainPem, "");
        EXPECT_EQ(ca_.ordersMade(), 2);
    }
};

class RefusedTest : public AbandonedTest, public testing::WithParamInterface<HttpResponse> {};

TEST_P(RefusedTest, AtTheCertificateAnOrderIsGivenUpAtOnce) {
    ca_.answerAt("/order/0/certificate", GetParam());
    expectAbandoned(failure());
}

TEST_P(RefusedTest, AtTheOrderToo) {
    placeOrder();
    ca_.answerAt("/order/0", GetParam());
    expectAbandoned(failure());
}

TEST_P(RefusedTest, AlsoWhileItIsWaitedFor) {
    ca_.answerAt("/order/0/finalize",
                 HttpResponse{200,
                              {{"content-type", "application/json"}},
                              R"({"status":"processing","identifiers":[{"type":"dns","value":"gw.example"}],)"
                              R"("authorizations":[],"finalize":"https://acme.test/order/0/finalize"})"});
    ca_.answerAt("/order/0", GetParam());
    expectAbandoned(failure());
}

INSTANTIATE_TEST_SUITE_P(Answers, RefusedTest,
                         testing::Values(problemOf(403, "unauthorized"), problemOf(404, "malformed"),
                                         goneHtml, goneForGood));

class NotRefusedTest : public AbandonedTest, public testing::WithParamInterface<HttpResponse> {};

TEST_P(NotRefusedTest, AnOrderIsKept) {
    placeOrder();
    for (const char* path : {"/order/0/certificate", "/order/0"}) {
        ca_.answerAt(path, GetParam());
        EXPECT_NE(failure().code(), "none") << path;
    }
    EXPECT_EQ(journal_.abandoned, "");
    for (const char* path : {"/order/0/certificate", "/order/0"}) ca_.answerAt(path, std::nullopt);
    EXPECT_NE(order({}).chainPem, "");
    EXPECT_EQ(ca_.ordersMade(), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Answers, NotRefusedTest,
    testing::Values(problemOf(500, "serverInternal"), problemOf(429, "rateLimited"),
                    HttpResponse{429, {}, ""}, HttpResponse{502, {}, ""},
                    HttpResponse{503, {{"retry-after", "7200"}}, ""},
                    HttpResponse{403, {{"content-type", "text/html"}}, "a proxy that wants a password"},
                    HttpResponse{200, {{"content-type", "text/html"}}, "It works!"}));

TEST_F(AbandonedTest, NoOrderIsMadeWhereTheAnswerIsToWait) {
    HttpResponse busy = problemOf(503, "serverInternal");
    busy.headers.emplace("retry-after", "60");
    for (const HttpResponse& answer :
         {HttpResponse{429, {}, ""}, HttpResponse{429, {{"retry-after", "60"}}, ""}, busy}) {
        ca_.answerAt("/new-order", answer);
        EXPECT_EQ(failure().kind(), ErrorKind::rateLimited);
        EXPECT_FALSE(journal_.sent) << answer.status;
    }
    ca_.answerAt("/new-order",
                 HttpResponse{503, {{"retry-after", "60"}}, "a proxy, which has lost the answer"});
    EXPECT_EQ(failure().kind(), ErrorKind::rateLimited);
    EXPECT_TRUE(journal_.sent) << "nobody knows";
}

TEST_F(AbandonedTest, WhatAProxySaysTellsNothingOfTheOrder) {
    for (const int status : {502, 503, 504}) {
        ca_.answerAt("/new-order", HttpResponse{status, {}, ""});
        EXPECT_EQ(failure().kind(), ErrorKind::transient);
        EXPECT_TRUE(journal_.sent) << status;
    }
}

// What is refused there says nothing of the order.
TEST_F(AbandonedTest, AWayThatIsClosedAbandonsNoOrder) {
    for (const auto& [path, answer] : {std::pair("/directory", goneHtml),
                                       {"/nonce", goneHtml},
                                       {"/account", problemOf(403, "unauthorized")}}) {
        journal_.url = testing_support::FakeAcme::orderUrl(0);
        ca_.answerAt(path, answer);
        EXPECT_NE(failure().code(), "none") << path;
        EXPECT_EQ(journal_.abandoned, "") << path;
        ca_.answerAt(path, std::nullopt);
    }
}

TEST_F(AbandonedTest, AnOrderThatIsReadOlderThanItIsIsKept) {
    CaSettings impatient{"fake", testing_support::FakeAcme::directory, "", {}, true};
    impatient.patience = std::chrono::seconds(1);
    Session session(impatient, {}, hal::Pkey(EVP_EC_gen("P-256")), http_);
    const std::vector<Identifier> names = parseIdentifiers({"gw.example"});
    const auto run = [&] {
        return issue(session, {names, crypto::buildCsr(*key_, crypto::publicKeyInfoOf(*key_), names)},
                     {{solver_}}, journal_, {});
    };
    ca_.answerAt("/order/0", HttpResponse{200, {{"content-type", "application/json"}}, R"({"status": "ready",
        "identifiers": [{"type": "dns", "value": "gw.example"}], "authorizations": ["https://acme.test/a"],
        "finalize": "https://acme.test/order/0/finalize"})"});
    ca_.answerAt(
        "/order/0/finalize",
        HttpResponse{200,
                     {{"content-type", "application/json"}},
                     R"({"status": "processing", "identifiers": [{"type": "dns", "value": "gw.example"}],
        "authorizations": ["https://acme.test/a"], "finalize": "https://acme.test/order/0/finalize"})"});
    try {
        run();
        FAIL() << "issued";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "ca-too-slow");
    }
    EXPECT_EQ(journal_.abandoned, "");
    for (const char* path : {"/order/0", "/order/0/finalize"}) ca_.answerAt(path, std::nullopt);
    EXPECT_NE(run().chainPem, "");
    EXPECT_EQ(ca_.ordersMade(), 1);
}

}  // namespace
}  // namespace certmgr::acme
